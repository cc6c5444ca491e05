import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { prefixRange, StoreError } from '@flotilla/registry';
import { put, Recorder, rejects, until, write } from '@flotilla/registry/contract';
import { etcdMissing, TestEtcd } from './etcd.js';
import { isLeader } from './gateway.js';
import { openStore, time } from './test-stores.js';

const memberCount = 3;

describe('EtcdStore on three members', { skip: etcdMissing() ?? false }, () => {
  let members: TestEtcd[] = [];
  before(async () => {
    members = await TestEtcd.startCluster(memberCount);
  });
  after(() => Promise.all(members.map((member) => member.remove())));

  const open = (prefix: string) => openStore({ hosts: members.map(({ url }) => url), prefix });

  async function findLeader(): Promise<TestEtcd | undefined> {
    for (const member of members) if (await isLeader(member.url)) return member;
    return undefined;
  }

  it('reads and watches live through the death of the leader; a write that fails says whether it may have been done', async () => {
    const store = open('leader');
    const start = await write(store, put('b'));
    const seen = new Recorder(store, { ranges: [prefixRange('a/')], fromRevision: start });
    const leader = await findLeader();
    assert.ok(leader !== undefined);
    await leader.stop('SIGKILL');
    const written: string[] = [];
    for (let index = 0; written.length < 20; index++) {
      assert.ok(index < 200, 'the cluster does not come back');
      const [, outcome] = await Promise.all([store.range({ from: 'b' }), tryWrite(`a/${index}`)]);
      if (outcome !== undefined) written.push(outcome);
    }
    await leader.start();
    await until(time, 'all is told', () => written.every((line) => seen.lines.includes(line)));
    assert.equal(new Set(seen.lines).size, seen.lines.length, 'nothing is told twice');
    assert.equal(seen.broken, undefined);

    async function tryWrite(key: string): Promise<string | undefined> {
      try {
        return `put ${key}= @${await write(store, put(key))}`;
      } catch (error) {
        assert.ok(error instanceof StoreError && ['unavailable', 'uncertain'].includes(error.kind), String(error));
        return undefined;
      }
    }
  });

  it('a member without its fellows takes nothing, and a watch on it goes on when they are back', async () => {
    const [survivor, ...fellows] = members;
    assert.ok(survivor !== undefined);
    const store = openStore({ hosts: [survivor.url], prefix: 'quorum' });
    const start = await write(store, put('b'));
    const seen = new Recorder(store, { ranges: [prefixRange('a/')], fromRevision: start });
    for (const fellow of fellows) await fellow.stop('SIGKILL');
    await rejects(write(store, put('a/1')), 'unavailable', 'uncertain');
    await rejects(store.range({ from: 'b' }), 'unavailable');
    await Promise.all(fellows.map((fellow) => fellow.start()));
    const last = await write(store, put('a/2'));
    await until(time, 'it is told', () => seen.revisions.at(-1) === last);
    assert.equal(seen.broken, undefined);
  });
});
