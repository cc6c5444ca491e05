import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type AnsweringMember, type StoreHealth, storeAlarms } from './store-health.js';

const mebibyte = 1024 * 1024;

function member(options: Partial<AnsweringMember> = {}): AnsweringMember {
  return {
    kind: 'answering',
    address: 'http://10.0.0.1:2379',
    id: 'a1',
    version: '3.4.23',
    hasLeader: true,
    sizeBytes: 10 * mebibyte,
    inUseBytes: 5 * mebibyte,
    quotaBytes: 100 * mebibyte,
    raised: [],
    ...options,
  };
}

const other = { address: 'http://10.0.0.2:2379', id: 'a2' };
const codes = (health: StoreHealth) => storeAlarms(health).map(({ code, member: where }) => `${code} ${where ?? ''}`);

describe('storeAlarms', () => {
  const rows: readonly [string, StoreHealth, readonly string[]][] = [
    ['nothing is wrong', { members: [member(), member(other)], commitMs: 3 }, []],
    ['nothing is known', { members: [], commitMs: undefined }, []],
    [
      'a member that does not answer is not an alarm: the default addresses are two, mostly of one etcd',
      { members: [member(), { kind: 'silent', address: 'http://127.0.0.1:4001', why: 'refused' }], commitMs: 1 },
      [],
    ],
    ['at 80 % of the quota it is still well', { members: [member({ sizeBytes: 80 * mebibyte })], commitMs: 1 }, []],
    [
      'above, it is told',
      { members: [member({ sizeBytes: 81 * mebibyte })], commitMs: 1 },
      ['store-quota http://10.0.0.1:2379'],
    ],
    [
      'a quota that is not known is not guessed',
      { members: [member({ sizeBytes: 9_000 * mebibyte, quotaBytes: undefined })], commitMs: 1 },
      [],
    ],
    [
      'a quota that is used up is told once, however many members have heard of it, at the one that it is about',
      {
        members: [
          member({ sizeBytes: 100 * mebibyte, raised: [{ kind: 'no-space', member: 'a1' }] }),
          member({ ...other, raised: [{ kind: 'no-space', member: 'a1' }] }),
        ],
        commitMs: 1,
      },
      ['store-no-space http://10.0.0.1:2379'],
    ],
    [
      'a member with two addresses is one',
      {
        members: [
          member({ sizeBytes: 90 * mebibyte }),
          member({ address: 'http://localhost:2379', sizeBytes: 90 * mebibyte }),
        ],
        commitMs: 1,
      },
      ['store-quota http://10.0.0.1:2379'],
    ],
    [
      'a member that has no address here goes by its ID',
      { members: [member({ raised: [{ kind: 'corrupt', member: 'b7' }] })], commitMs: 1 },
      ['store-corrupt b7'],
    ],
    [
      'no leader',
      { members: [member({ hasLeader: false })], commitMs: undefined },
      ['store-no-leader http://10.0.0.1:2379'],
    ],
    ['100 ms for a write are bearable', { members: [member()], commitMs: 100 }, []],
    ['more are not', { members: [member()], commitMs: 101 }, ['store-slow-disk ']],
    [
      'the worst comes first',
      {
        members: [
          member({
            hasLeader: false,
            raised: [
              { kind: 'no-space', member: 'a2' },
              { kind: 'corrupt', member: 'a2' },
            ],
            sizeBytes: 99 * mebibyte,
          }),
        ],
        commitMs: 500,
      },
      [
        'store-corrupt a2',
        'store-no-space a2',
        'store-no-leader http://10.0.0.1:2379',
        'store-quota http://10.0.0.1:2379',
        'store-slow-disk ',
      ],
    ],
  ];
  for (const [name, health, expected] of rows) it(name, () => assert.deepEqual(codes(health), expected));

  it('says what to do: defragment what is not in use, or else allow more', () => {
    const textOf = (options: Partial<AnsweringMember>) =>
      storeAlarms({ members: [member(options)], commitMs: 1 })[0]?.message ?? '';
    assert.equal(
      textOf({ sizeBytes: 90.5 * mebibyte }),
      'etcd member http://10.0.0.1:2379 has used 91 % of its space quota of 100 MiB: etcdctl defrag gives back what is not in use (85.5 MiB)',
    );
    assert.match(textOf({ sizeBytes: 90 * mebibyte, inUseBytes: 85 * mebibyte }), /raise its --quota-backend-bytes$/);
    assert.match(
      textOf({ raised: [{ kind: 'no-space', member: 'a1' }] }),
      /quota of 100 MiB.*etcdctl defrag.*alarm disarm/,
    );
  });
});
