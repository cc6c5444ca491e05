import assert from 'node:assert/strict';
import { describe as chapter, it } from 'node:test';
import { put, read, rejects, type UseStore, write } from './store-harness.js';
import { storeAlarms } from './store-health.js';

/** How a store is looked after. */
export function describeCare(use: UseStore): void {
  chapter('care', () => {
    it(
      'forgets history before a revision, keeps what is from there on, and says when it was gone already',
      use(async ({ store }) => {
        const first = await write(store, put('a', '1'), put('b'));
        const second = await write(store, put('a', '2'));
        const third = await write(store, put('a', '3'));
        assert.equal(await store.compact(second), 'compacted');
        await rejects(store.range({ from: 'a', revision: first }), 'compacted');
        const past = await store.range({ from: 'a', revision: second });
        assert.deepEqual(
          past.kvs.map(({ modRevision }) => modRevision),
          [second],
        );
        assert.deepEqual(await read(store, { from: 'a', to: 'c' }), ['a=3', 'b=']);
        assert.equal(await store.compact(second), 'gone');
        assert.equal(await store.compact(first), 'gone');
        assert.equal(await store.compact(third), 'compacted');
        await rejects(store.compact(third + 1_000_000), 'refused');
      }),
    );

    it(
      'says how it is, and that there is nothing to see to',
      use(async ({ store }) => {
        await write(store, put('a'));
        const health = await store.readHealth();
        const answering = health.members.filter((member) => member.kind === 'answering');
        assert.ok(answering.length > health.members.length / 2, JSON.stringify(health));
        for (const member of answering) {
          assert.equal(member.hasLeader, true);
          assert.deepEqual(member.raised, []);
        }
        assert.equal(typeof health.commitMs, 'number');
        assert.deepEqual(
          storeAlarms({ ...health, commitMs: 0 }).map(({ code }) => code),
          [],
        );
      }),
    );

    it(
      'says who is out of reach',
      use(async ({ store, faults }, test) => {
        if (faults === undefined) return test.skip('this store cannot be harmed');
        await faults.cut();
        const { members, commitMs } = await store.readHealth();
        assert.deepEqual(
          members.map(({ kind }) => kind),
          members.map(() => 'silent'),
        );
        assert.equal(commitMs, undefined);
      }),
    );

    it(
      'looks no more once it is closed',
      use(async ({ store }) => {
        await store.close();
        await rejects(store.readHealth(), 'unavailable');
      }),
    );
  });
}
