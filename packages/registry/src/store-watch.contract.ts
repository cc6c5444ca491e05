import assert from 'node:assert/strict';
import { describe as chapter, it } from 'node:test';
import { prefixRange } from './store.js';
import { manyKey, put, Recorder, remove, type UseStore, until, write, writeMany } from './store-harness.js';

/** What every store does with watches. */
export function describeWatches(use: UseStore): void {
  chapter('watch', () => {
    it(
      'tells what was and what comes, in order, from the revision on',
      use(async (harness) => {
        const { store, other } = harness;
        await write(store, put('a/0'));
        const first = await write(store, put('a/1', 'x'));
        await write(store, put('b'));
        const second = await write(store, remove('a/0'), put('a/1', 'y'));
        const seen = new Recorder(store, { ranges: [prefixRange('a/')], fromRevision: first });
        const past = [`put a/1=x @${first}`, `delete a/0 @${second}`, `put a/1=y @${second}`];
        await until(harness, 'the past is told', () => seen.lines.length >= 3);
        const third = await write(other, put('a/2'));
        await until(harness, 'the present is told', () => seen.lines.length >= 4);
        assert.deepEqual(sorted(seen.lines), sorted([...past, `put a/2= @${third}`]));
        assert.equal(seen.revisions.at(-1), third);
        assert.deepEqual(seen.revisions, sorted(seen.revisions));
      }),
    );

    it(
      'tells a whole transaction at once',
      use(async (harness) => {
        const puts = Array.from({ length: 128 }, (_, at) => put(manyKey(at)));
        const start = await write(harness.store, put('b'));
        const seen = new Recorder(harness.store, { ranges: [prefixRange('a/')], fromRevision: start });
        const first = await write(harness.other, ...puts);
        const second = await write(harness.other, ...puts);
        await until(harness, 'all is told', () => seen.lines.length >= 256);
        const told = seen.lines.slice(0, 128);
        assert.ok(told.every((line) => line.endsWith(` @${first}`)));
        assert.ok(seen.revisions.length <= 2 && seen.revisions.at(-1) === second, `${seen.revisions}`);
      }),
    );

    it(
      'follows several ranges, each with its own wishes',
      use(async (harness) => {
        const { store } = harness;
        const start = await write(store, put('a/1'), put('b/1'), put('c'), put('d'));
        const ranges = [prefixRange('a/'), { ...prefixRange('b/'), deletesOnly: true }, { from: 'c' }];
        const seen = new Recorder(store, { ranges, fromRevision: start });
        const gone = await write(store, remove('a/1'), remove('b/1'), put('b/2'), remove('d'));
        const last = await write(store, remove('c'));
        await until(harness, 'all is told', () => seen.lines.length >= 5);
        const expected = [
          `put a/1= @${start}`,
          `put c= @${start}`,
          `delete a/1 @${gone}`,
          `delete b/1 @${gone}`,
          `delete c @${last}`,
        ];
        assert.deepEqual(sorted(seen.lines), sorted(expected));
      }),
    );

    it(
      'catches up with thousands of revisions',
      use(async (harness) => {
        const start = await write(harness.store, put('b'));
        const lines = await writeMany(harness.store, 2_100);
        const seen = new Recorder(harness.store, { ranges: [prefixRange('a/')], fromRevision: start });
        await until(harness, 'all is told', () => seen.lines.length >= lines.length);
        assert.deepEqual(seen.lines, lines);
      }),
    );

    it(
      'is silent after it was closed',
      use(async (harness) => {
        const { store } = harness;
        const start = await write(store, put('a'));
        const closed = new Recorder(store, { ranges: [{ from: 'a' }], fromRevision: start });
        const open = new Recorder(store, { ranges: [{ from: 'a' }], fromRevision: start });
        closed.close();
        await write(store, put('a'));
        await until(harness, 'the open one is told', () => open.lines.length === 2);
        assert.deepEqual([closed.lines, closed.broken], [[], undefined]);
      }),
    );

    it(
      'breaks when it is to begin where the store has not been',
      use(async (harness) => {
        const now = await write(harness.store, put('a'));
        const next = new Recorder(harness.store, { ranges: [{ from: 'a' }], fromRevision: now + 1 });
        const later = new Recorder(harness.store, { ranges: [{ from: 'a' }], fromRevision: now + 2 });
        await until(harness, 'it breaks', () => later.broken !== undefined);
        assert.equal(later.broken, 'went-back');
        const then = await write(harness.store, put('a'));
        await until(harness, 'the other is told', () => next.lines.length > 0);
        assert.deepEqual([next.lines, later.lines], [[`put a= @${then}`], []]);
      }),
    );
  });
}

function sorted<T extends string | number>(values: readonly T[]): T[] {
  return values.toSorted((one, two) => (one < two ? -1 : one > two ? 1 : 0));
}
