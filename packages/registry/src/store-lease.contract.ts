import assert from 'node:assert/strict';
import { describe as chapter, it } from 'node:test';
import { put, Recorder, read, rejects, type UseStore, until, write } from './store-harness.js';

/** The shortest lease that etcd grants with its defaults. */
const ttlSeconds = 2;

/** What every store does with leases. */
export function describeLeases(use: UseStore): void {
  chapter('leases', () => {
    it(
      'grants at least what was asked, and keys carry the ID, all 64 bits of it',
      use(async ({ store }) => {
        const lease = await store.grantLease(ttlSeconds);
        assert.ok(lease.ttlSeconds >= ttlSeconds);
        const other = await store.grantLease(100);
        assert.ok(other.ttlSeconds >= 100);
        assert.notEqual(lease.id, other.id);
        await write(store, put('a', '', lease.id), put('b', '', other.id));
        const { kvs } = await store.range({ from: 'a', to: 'c' });
        assert.deepEqual(
          kvs.map((kv) => kv.lease),
          [lease.id, other.id],
        );
        assert.deepEqual(await store.keepLeaseAlive(other.id), other);
        await store.revokeLease(other.id);
        assert.deepEqual(await read(store, { from: 'a', to: 'c' }), ['a=']);
        await store.revokeLease(lease.id);
      }),
    );

    it(
      'deletes the keys of an ended lease in one revision',
      use(async (harness) => {
        const { store } = harness;
        const { id } = await store.grantLease(60);
        const start = await write(store, put('a/1', '', id), put('a/2', '', id), put('a/3', '', id));
        await write(store, put('a/3'));
        const seen = new Recorder(store, { ranges: [{ from: 'a', to: 'b', deletesOnly: true }], fromRevision: start });
        await store.revokeLease(id);
        await until(harness, 'the deletes are told', () => seen.lines.length >= 2);
        assert.deepEqual(seen.lines, [`delete a/1 @${start + 2}`, `delete a/2 @${start + 2}`]);
        assert.deepEqual(await read(store, { from: 'a', to: 'b' }), ['a/3=']);
      }),
    );

    it(
      'does not know an ended lease any more',
      use(async ({ store }) => {
        const { id } = await store.grantLease(60);
        await store.revokeLease(id);
        await store.revokeLease(id);
        assert.equal(await store.keepLeaseAlive(id), undefined);
        await rejects(store.transact({ success: [put('a'), put('b', '', id)] }), 'no-lease');
        assert.deepEqual(await read(store, { from: 'a' }), []);
        const missed = {
          compares: [{ key: 'a', on: 'mod-revision', equals: 1 }],
          success: [put('b', '', id)],
        } as const;
        assert.equal((await store.transact(missed)).succeeded, false);
      }),
    );

    it(
      'ends a lease that is not renewed, and keeps one that is',
      use(async (harness) => {
        const { store, other } = harness;
        const kept = await store.grantLease(ttlSeconds);
        const left = await store.grantLease(ttlSeconds);
        const start = await write(store, put('a/kept', '', kept.id), put('a/left', '', left.id));
        const seen = new Recorder(other, { ranges: [{ from: 'a', to: 'b', deletesOnly: true }], fromRevision: start });
        const stepMs = (ttlSeconds * 1000) / 4;
        for (let step = 0; step < 40 && seen.lines.length === 0; step++) {
          await harness.elapse(stepMs);
          assert.deepEqual(await store.keepLeaseAlive(kept.id), kept);
        }
        assert.deepEqual(seen.lines, [`delete a/left @${start + 1}`]);
        assert.equal(await store.keepLeaseAlive(left.id), undefined);
        await store.revokeLease(kept.id);
      }),
    );
  });
}
