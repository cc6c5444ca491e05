import assert from 'node:assert/strict';
import { describe as chapter, it } from 'node:test';
import { prefixRange, type Store, type WatchBreak } from './store.js';
import {
  describe,
  put,
  Recorder,
  read,
  rejects,
  remove,
  type StoreFaults,
  type StoreHarness,
  type UseStore,
  until,
  write,
  writeMany,
} from './store-harness.js';

/** How every store fails. */
export function describeFaults(use: UseStore): void {
  const useFaults = (run: (harness: StoreHarness & { readonly faults: StoreFaults }) => Promise<void>) =>
    use(async (harness, test) => {
      if (harness.faults === undefined) test.skip('this store cannot be harmed');
      else await run({ ...harness, elapse: (ms) => harness.elapse(ms), faults: harness.faults });
    });

  chapter('faults', () => {
    it(
      'a call that cannot reach the store says that nothing was done, or that it is not known',
      useFaults(async ({ store, other, faults }) => {
        await write(store, put('a'));
        const lease = await store.grantLease(60);
        await faults.cut();
        await rejects(store.range({ from: 'a' }), 'unavailable');
        await rejects(store.transact({ success: [{ kind: 'range', from: 'a' }] }), 'unavailable');
        await rejects(store.transact({ success: [put('b')] }), 'unavailable', 'uncertain');
        await rejects(store.keepLeaseAlive(lease.id), 'unavailable');
        assert.deepEqual(await read(other, { from: 'a' }), ['a=']);
        await faults.heal();
        assert.deepEqual(await read(store, { from: 'a' }), ['a=']);
        assert.deepEqual(await store.keepLeaseAlive(lease.id), lease);
        await store.revokeLease(lease.id);
      }),
    );

    it(
      'a transaction whose answer is lost is uncertain, and is not tried again',
      useFaults(async ({ store, other, faults }) => {
        const before = await write(store, put('a', 'old'));
        await faults.loseNextReply();
        const compares = [{ key: 'a', on: 'mod-revision', equals: before }] as const;
        await rejects(store.transact({ compares, success: [put('a', 'new')] }), 'uncertain');
        await faults.heal();
        const kv = (await other.range({ from: 'a' })).kvs[0];
        assert.equal(kv?.modRevision, before + 1);
        assert.equal(await write(store, put('a', 'newer')), before + 2);
      }),
    );

    it(
      'a watch goes on after a cut, and after another one before it has caught up',
      useFaults(async (harness) => {
        const { store, other, faults } = harness;
        const start = await write(store, put('b'));
        const seen = new Recorder(store, { ranges: [prefixRange('a/')], fromRevision: start });
        const lines: string[] = [];
        for (let round = 0; round < 6; round++) {
          lines.push(...(await writeMany(other, 40, `${round}`)));
          await faults.cut();
          lines.push(...(await writeMany(other, 40, `${round} while cut off`)));
          await faults.heal();
          if (round % 2 === 0) await harness.elapse(30 * round);
        }
        await until(harness, 'all is told', () => seen.lines.length >= lines.length);
        assert.deepEqual(seen.lines, lines);
        assert.equal(seen.broken, undefined);
      }),
    );

    it(
      'a watch that is begun while the store is out of reach tells all once it is back',
      useFaults(async (harness) => {
        const { store, other, faults } = harness;
        const start = await write(store, put('b'));
        await faults.cut();
        const seen = new Recorder(store, { ranges: [prefixRange('a/')], fromRevision: start });
        const lines = await writeMany(other, 40);
        await harness.elapse(300);
        assert.deepEqual([seen.lines, seen.broken], [[], undefined]);
        await faults.heal();
        await until(harness, 'all is told', () => seen.lines.length >= lines.length);
        assert.deepEqual([seen.lines, seen.broken], [lines, undefined]);
      }),
    );

    it(
      'a watch that is cut off in the middle of catching up loses nothing',
      useFaults(async (harness) => {
        const { store, other, faults } = harness;
        const start = await write(store, put('b'));
        const lines = await writeMany(other, 3_500);
        const seen = new Recorder(store, { ranges: [prefixRange('a/')], fromRevision: start });
        await until(harness, 'some is told', () => seen.lines.length > 0);
        for (let round = 0; round < 3; round++) {
          await faults.cut();
          await faults.heal();
          await harness.elapse(100);
        }
        await until(harness, 'all is told', () => seen.lines.length >= lines.length);
        assert.deepEqual(seen.lines, lines);
      }),
    );

    it(
      'answers of many MiB arrive, live and after a cut',
      useFaults(async (harness) => {
        const { store, other, faults } = harness;
        const start = await write(store, put('b'));
        const seen = new Recorder(store, { ranges: [prefixRange('a/')], fromRevision: start });
        await faults.cut();
        const lines = await writeMany(other, 100, 'x'.repeat(60_000));
        await faults.heal();
        await until(harness, 'all is told', () => seen.lines.length >= lines.length);
        assert.deepEqual(seen.lines, lines);
        assert.equal((await read(store, prefixRange('a/'))).length, 100);
      }),
    );

    it(
      'a watch breaks if what it missed was compacted, a delete at the very revision included',
      useFaults(async (harness) => {
        const { store, other, faults } = harness;
        const start = await write(store, put('a'));
        const seen = new Recorder(store, { ranges: [{ from: 'a' }], fromRevision: start });
        await until(harness, 'it is told', () => seen.lines.length === 1);
        await faults.cut();
        const gone = await write(other, remove('a'));
        await write(other, put('b'));
        await faults.compact(gone);
        await faults.heal();
        await until(harness, 'it breaks', () => seen.broken !== undefined);
        assert.deepEqual([seen.lines, seen.broken], [[`put a= @${start}`], 'compacted']);
        const late = new Recorder(store, { ranges: [{ from: 'a' }], fromRevision: gone });
        await until(harness, 'it breaks', () => late.broken !== undefined);
        assert.equal(late.broken, 'compacted');
        await rejects(store.range({ from: 'a', revision: start }), 'compacted');
        const ready = new Recorder(store, { ranges: [{ from: 'b' }], fromRevision: gone + 1 });
        await until(harness, 'it is told', () => ready.lines.length === 1);
      }),
    );

    it(
      'a watch that has seen all outlives a compaction',
      useFaults(async (harness) => {
        const { store, faults } = harness;
        const start = await write(store, put('a'));
        const seen = new Recorder(store, { ranges: [{ from: 'a' }, { from: 'b' }], fromRevision: start });
        await until(harness, 'it is told', () => seen.lines.length === 1);
        const now = await write(store, put('c'));
        await faults.compact(now);
        await write(store, put('b'));
        await until(harness, 'it is told', () => seen.lines.length === 2);
        assert.equal(seen.broken, undefined);
      }),
    );

    const replaced: readonly [string, WatchBreak, (faults: StoreFaults) => Promise<void>][] = [
      ['wiped', 'went-back', (faults) => faults.wipe()],
      ['another', 'foreign', (faults) => faults.swap()],
    ];
    for (const [what, reason, replace] of replaced) {
      it(
        `a watch breaks as ${reason} if the store that comes back is ${what}`,
        useFaults(async (harness) => {
          const { store, other, faults } = harness;
          await writeMany(other, 20);
          const start = await write(store, put('b'));
          const seen = new Recorder(store, { ranges: [prefixRange('a/')], fromRevision: start });
          const live = await write(other, put('a/1'));
          await until(harness, 'it is told', () => seen.lines.length === 1);
          await replace(faults);
          await until(harness, 'it breaks', () => seen.broken !== undefined);
          assert.deepEqual([seen.lines, seen.broken], [[`put a/1= @${live}`], reason]);
          const now = await store.range(prefixRange('a/'));
          assert.deepEqual(now.kvs, []);
          const anew = new Recorder(store, { ranges: [prefixRange('a/')], fromRevision: now.revision + 1 });
          await write(other, put('a/2'));
          await until(harness, 'the new watch is told', () => anew.lines.length === 1);
        }),
      );
    }

    it(
      'a watch breaks as went-back if the store that comes back is an older backup of it',
      useFaults(async (harness) => {
        const { store, other, faults } = harness;
        await write(other, put('a/1', 'kept'));
        await faults.backup();
        await writeMany(other, 20);
        const start = await write(store, put('b'));
        const seen = new Recorder(store, { ranges: [prefixRange('a/')], fromRevision: start });
        const live = await write(other, put('a/1', 'lost'));
        await until(harness, 'it is told', () => seen.lines.length === 1);
        await faults.restore();
        await until(harness, 'it breaks', () => seen.broken !== undefined);
        assert.deepEqual([seen.lines, seen.broken], [[`put a/1=lost @${live}`], 'went-back']);
        const now = await store.range(prefixRange('a/'));
        assert.deepEqual(now.kvs.map(describe), ['a/1=kept']);
        const anew = new Recorder(store, { ranges: [prefixRange('a/')], fromRevision: now.revision + 1 });
        await write(other, put('a/2'));
        await until(harness, 'the new watch is told', () => anew.lines.length === 1);
      }),
    );

    const backups: readonly [string, (other: Store) => Promise<unknown>][] = [
      ['has told of a put since', (other) => write(other, put('a/2'))],
      ['has told of a delete since', (other) => write(other, remove('a/1'))],
      ['was listed since', async () => undefined],
    ];
    for (const [what, tell] of backups) {
      it(
        `a watch breaks as went-back if a store that ${what} is an older backup with as many writes on top`,
        useFaults(async (harness) => {
          const { store, other, faults } = harness;
          await write(other, put('a/1'));
          await faults.backup();
          const revision = await write(other, put('a/0'));
          const witness = { kind: 'put', key: 'a/0', revision } as const;
          const seen = new Recorder(store, { ranges: [prefixRange('a/')], fromRevision: revision + 1, witness });
          await tell(other);
          const told = (await other.range({ from: 'b' })).revision - revision;
          await until(harness, 'it is told', () => seen.lines.length === told);
          await faults.cut();
          await faults.restore();
          for (let index = 0; index < 10; index++) await write(other, put('b', `${index}`));
          await faults.heal();
          await until(harness, 'it breaks', () => seen.broken !== undefined);
          assert.deepEqual([seen.lines.length, seen.broken], [told, 'went-back']);
        }),
      );
    }

    it(
      'a closed store rejects what is pending and falls silent',
      use(async (harness) => {
        const { store, other } = harness;
        const start = await write(store, put('a'));
        const seen = new Recorder(store, { ranges: [{ from: 'a' }], fromRevision: start });
        const control = new Recorder(other, { ranges: [{ from: 'a' }], fromRevision: start });
        await until(harness, 'it is told', () => seen.lines.length === 1);
        await store.close();
        await rejects(store.range({ from: 'a' }), 'unavailable');
        await rejects(store.transact({ success: [] }), 'unavailable');
        await rejects(store.keepLeaseAlive('1'), 'unavailable');
        await write(other, put('a'));
        await until(harness, 'the other is told', () => control.lines.length === 2);
        assert.deepEqual([seen.lines.length, seen.broken], [1, undefined]);
      }),
    );
  });
}
