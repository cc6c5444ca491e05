import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMachineId } from '@flotilla/cluster';
import { decodeRecord, keys, type UnfreezeRecord } from '@flotilla/registry';
import { unfreezeAnswerSchema } from '@flotilla/schema';
import { parseUnitName } from '@flotilla/unit';
import { errorText, TestApi, type TestRequest } from './api-harness.js';

const machine = parseMachineId('0123456789abcdef0123456789abcdef');
const url = `/fleet/v2/machines/${machine}/unfreeze`;
const frozen = 'the store has no cluster record any more';
const unit = parseUnitName('a.service');
const held = { hash: '1'.repeat(40), file: 'f', desiredState: 'launched', isGlobal: false };

/** An API whose store has a frozen machine with one unit. */
async function open(record: object = { frozen, held: 1 }): Promise<TestApi> {
  const api = new TestApi();
  await api.write(keys.machine(machine), record);
  await api.write(keys.held(machine, unit), held);
  return api;
}

const post = (api: TestApi, query: string, request: TestRequest) =>
  api.send({ method: 'POST', url: `${url}${query}`, ...request });

test('a dry run tells what would become of each unit, and changes nothing', async () => {
  const api = await open();
  const { revision } = api.store;
  for (const [how, effect] of [
    ['adopt', 'written-back'],
    ['discard', 'stopped'],
  ] as const) {
    const { status, body } = await post(api, '?dryRun=true', { body: { how } });
    assert.equal(status, 200, body);
    assert.deepEqual(unfreezeAnswerSchema.parse(JSON.parse(body)), {
      frozen,
      how,
      machineID: machine,
      units: [{ effect, name: unit, why: 'the store does not have it' }],
    });
  }
  assert.equal(api.store.revision, revision);
});

test('an order is written for the machine, to die with it', async () => {
  const api = new TestApi();
  const { id: lease } = await api.store.grantLease(30);
  const key = keys.machine(machine);
  const value = new TextEncoder().encode(JSON.stringify({ frozen, held: 0 }));
  await api.store.transact({ success: [{ kind: 'put', key, value, lease }] });
  const { status, body } = await post(api, '', { body: { how: 'adopt' } });
  assert.equal(status, 202);
  assert.deepEqual(unfreezeAnswerSchema.parse(JSON.parse(body)), { frozen, how: 'adopt', machineID: machine });
  const [kv] = (await api.store.range({ from: keys.unfreeze(machine) })).kvs;
  assert.ok(kv);
  assert.deepEqual(decodeRecord<UnfreezeRecord>(kv.key, kv.value), { how: 'adopt' });
  assert.equal(kv.lease, lease);
});

const refusals: readonly (readonly [
  says: string,
  record: object,
  request: TestRequest,
  status: number,
  text: RegExp,
])[] = [
  ['a machine that is not frozen', {}, { body: { how: 'adopt' } }, 409, /^machine is not frozen$/],
  ['one that has yet to look at what it has', { frozen }, { body: { how: 'adopt' } }, 503, /try again$/],
  [
    'one that is not there',
    { frozen },
    { url: '/fleet/v2/machines/m2/unfreeze', body: { how: 'adopt' } },
    404,
    /exist/,
  ],
  ['a body that says nothing', { frozen, held: 0 }, { body: {} }, 400, /^unable to decode body: how: /],
  ['a way that there is not', { frozen, held: 0 }, { body: { how: 'both' } }, 400, /^unable to decode body: how: /],
  ['no body', { frozen, held: 0 }, { body: '' }, 400, /^unable to decode body: /],
  ['a body that is no JSON', { frozen, held: 0 }, { headers: {}, body: '' }, 415, /Content-Type/],
  ['another method', { frozen, held: 0 }, { method: 'GET' }, 405, /^only POST supported/],
];

for (const [says, record, request, status, text] of refusals)
  test(`refused: ${says}`, async () => {
    const api = await open(record);
    const response = await post(api, '', request);
    assert.equal(response.status, status);
    assert.match(errorText(response), text);
    assert.deepEqual((await api.store.range({ from: keys.unfreeze(machine) })).kvs, []);
  });

test('what is neither a dry run nor an order is refused', async () => {
  const api = await open();
  for (const query of ['?dryRun=1', '?dryRun', '?dryRun=True', '?dryRun=false&dryRun=true']) {
    const response = await post(api, query, { body: { how: 'discard' } });
    assert.equal(response.status, 400, query);
    assert.match(errorText(response), /dryRun/);
  }
  assert.deepEqual((await api.store.range({ from: keys.unfreeze(machine) })).kvs, []);
  assert.equal((await post(api, '?dryRun=false', { body: { how: 'discard' } })).status, 202);
});

test('a body that asks for more than there is to ask is refused: it may be a dry run that is meant', async () => {
  const api = await open();
  const response = await post(api, '', { body: { how: 'discard', dryRun: true } });
  assert.equal(response.status, 400);
  assert.match(errorText(response), /dryRun/);
  assert.deepEqual((await api.store.range({ from: keys.unfreeze(machine) })).kvs, []);
});
