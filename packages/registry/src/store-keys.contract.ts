import assert from 'node:assert/strict';
import { describe as chapter, it } from 'node:test';
import { maxTransactionSize, prefixRange, type Transaction } from './store.js';
import { describe, manyKey, put, read, rejects, remove, type UseStore, write } from './store-harness.js';

/** What every store does with ranges. */
export function describeRanges(use: UseStore): void {
  chapter('range', () => {
    it(
      'keeps keys apart, and in order, that objects would reorder or swallow',
      use(async ({ store }) => {
        const keys = ['a/10', 'a/2', 'a/__proto__', 'a/constructor'];
        await write(store, ...keys.map((key) => put(key, key)));
        assert.deepEqual(
          await read(store, prefixRange('a/')),
          keys.map((key) => `${key}=${key}`),
        );
      }),
    );

    it(
      'answers in key order, up to the end and without it',
      use(async ({ store }) => {
        await write(store, put('b/2'), put('b/10'), put('b/1'), put('a'), put('b0'), put('b/'));
        assert.deepEqual(await read(store, prefixRange('b/')), ['b/=', 'b/1=', 'b/10=', 'b/2=']);
        assert.deepEqual(await read(store, { from: 'b/1', to: 'b/2' }), ['b/1=', 'b/10=']);
        assert.deepEqual(await read(store, { from: 'b/1' }), ['b/1=']);
        assert.deepEqual(await read(store, { from: 'c' }), []);
      }),
    );

    it(
      'says when the limit cut it short',
      use(async ({ store }) => {
        await write(store, put('a/1'), put('a/2'), put('a/3'));
        const page = await store.range({ ...prefixRange('a/'), limit: 2 });
        assert.deepEqual(page.kvs.map(describe), ['a/1=', 'a/2=']);
        assert.equal(page.hasMore, true);
        const rest = await store.range({ from: 'a/2\0', to: 'a0', limit: 2 });
        assert.deepEqual(rest.kvs.map(describe), ['a/3=']);
        assert.equal(rest.hasMore, false);
        assert.equal((await store.range({ ...prefixRange('a/'), limit: 3 })).hasMore, false);
      }),
    );

    it(
      'leaves values out when only keys are asked for',
      use(async ({ store }) => {
        await write(store, put('a', 'value'));
        assert.deepEqual((await store.range({ from: 'a', keysOnly: true })).kvs.map(describe), ['a=']);
      }),
    );

    it(
      'gives back every byte',
      use(async ({ store }) => {
        const value = Uint8Array.from({ length: 256 }, (_, byte) => byte);
        await store.transact({ success: [{ kind: 'put', key: 'a', value }] });
        assert.deepEqual([...((await store.range({ from: 'a' })).kvs[0]?.value ?? [])], [...value]);
      }),
    );

    it(
      'reads the past, and answers with the newest revision',
      use(async ({ store }) => {
        const first = await write(store, put('a', 'old'), put('b'));
        const last = await write(store, put('a', 'new'), remove('b'));
        const past = await store.range({ from: 'a', to: 'c', revision: first });
        assert.deepEqual(past.kvs.map(describe), ['a=old', 'b=']);
        assert.equal(past.revision, last);
        assert.deepEqual(await read(store, { from: 'a', to: 'c' }), ['a=new']);
        await rejects(store.range({ from: 'a', revision: last + 1000 }), 'refused');
      }),
    );

    it(
      'tells when a key was made and when it was put last',
      use(async ({ store }) => {
        const made = await write(store, put('a'));
        const changed = await write(store, put('a'));
        const look = async () => {
          const kv = (await store.range({ from: 'a' })).kvs[0];
          return [kv?.createRevision, kv?.modRevision, kv?.lease];
        };
        assert.deepEqual(await look(), [made, changed, undefined]);
        await write(store, remove('a'));
        const again = await write(store, put('a'));
        assert.deepEqual(await look(), [again, again, undefined]);
      }),
    );
  });
}

/** What every store does with transactions. */
export function describeTransactions(use: UseStore): void {
  chapter('transact', () => {
    it(
      'compares all keys of a range; 0 holds if there is none in it',
      use(async ({ store }) => {
        const made = await write(store, put('a/1'), put('a/2'), put('c'));
        const holds = async (key: string, to: string, equals: number) =>
          (await store.transact({ compares: [{ key, to, on: 'create-revision', equals }], success: [] })).succeeded;
        assert.deepEqual(
          [await holds('b', 'c', 0), await holds('a', 'b', 0), await holds('a/2', 'b', 0)],
          [true, false, false],
        );
        assert.equal(await holds('a', 'd', made), true);
        await write(store, put('b'));
        assert.equal(await holds('a', 'd', made), false);
      }),
    );

    it(
      'compares create and mod revisions; 0 is an absent key',
      use(async ({ store }) => {
        const made = await write(store, put('a'));
        const changed = await write(store, put('a'));
        const holds = async (on: 'create-revision' | 'mod-revision', key: string, equals: number) =>
          (await store.transact({ compares: [{ key, on, equals }], success: [] })).succeeded;
        assert.equal(await holds('create-revision', 'a', made), true);
        assert.equal(await holds('create-revision', 'a', changed), false);
        assert.equal(await holds('mod-revision', 'a', changed), true);
        assert.equal(await holds('mod-revision', 'a', made), false);
        for (const on of ['create-revision', 'mod-revision'] as const) {
          assert.equal(await holds(on, 'a', 0), false);
          assert.equal(await holds(on, 'b', 0), true);
          assert.equal(await holds(on, 'b', made), false);
        }
      }),
    );

    it(
      'does one branch or the other, whole',
      use(async ({ store }) => {
        const transaction = (equals: number): Transaction => ({
          compares: [
            { key: 'absent', on: 'mod-revision', equals: 0 },
            { key: 'a', on: 'mod-revision', equals },
          ],
          success: [put('a', 'won'), put('b')],
          failure: [remove('b'), { kind: 'range', from: 'a' }, { kind: 'range', from: 'b' }],
        });
        const won = await store.transact(transaction(0));
        assert.deepEqual([won.succeeded, won.ranges], [true, []]);
        const lost = await store.transact(transaction(0));
        assert.equal(lost.succeeded, false);
        assert.equal(lost.revision, won.revision + 1);
        assert.deepEqual(
          lost.ranges.map(({ kvs }) => kvs.map(describe)),
          [['a=won'], []],
        );
      }),
    );

    it(
      'shows its own writes to its later ranges',
      use(async ({ store }) => {
        const before = await write(store, put('a', 'old'));
        const { ranges, revision } = await store.transact({
          success: [{ kind: 'range', from: 'a' }, put('a', 'new'), { kind: 'range', from: 'a' }],
        });
        assert.deepEqual(
          ranges.map(({ kvs }) => kvs.map(describe)),
          [['a=old'], ['a=new']],
        );
        assert.deepEqual(
          ranges.map((range) => range.revision),
          [before, revision],
        );
        assert.equal(ranges[1]?.kvs[0]?.modRevision, revision);
      }),
    );

    it(
      'makes one revision of all that it writes, and none of nothing',
      use(async ({ store }) => {
        const before = await write(store, put('a'), put('b'), put('c'));
        assert.equal(await write(store, remove('x'), { kind: 'range', from: 'a' }), before);
        assert.equal(await write(store, remove('a', 'c'), put('c'), put('d')), before + 1);
        assert.deepEqual(await read(store, { from: 'a', to: 'z' }), ['c=', 'd=']);
      }),
    );

    it(
      `takes ${maxTransactionSize} compares and as many operations, and no more`,
      use(async ({ store }) => {
        const compares = (count: number) =>
          Array.from({ length: count }, (_, at) => ({ key: manyKey(at), on: 'mod-revision', equals: 0 }) as const);
        const puts = (count: number) => Array.from({ length: count }, (_, at) => put(manyKey(at)));
        const full = { compares: compares(maxTransactionSize), success: puts(maxTransactionSize) };
        await rejects(store.transact({ ...full, compares: compares(maxTransactionSize + 1) }), 'refused');
        await rejects(store.transact({ success: puts(maxTransactionSize + 1) }), 'refused');
        await rejects(store.transact({ success: [], failure: puts(maxTransactionSize + 1) }), 'refused');
        assert.equal((await store.transact({ ...full, failure: puts(maxTransactionSize) })).succeeded, true);
        assert.equal((await read(store, prefixRange('a/'))).length, maxTransactionSize);
      }),
    );

    it(
      'refuses to touch a key twice, and then does nothing',
      use(async ({ store }) => {
        await rejects(store.transact({ success: [put('a'), put('b'), put('a')] }), 'refused');
        await rejects(store.transact({ success: [put('b'), remove('a', 'c')] }), 'refused');
        await rejects(store.transact({ success: [], failure: [put('b'), remove('b')] }), 'refused');
        assert.deepEqual(await read(store, { from: 'a', to: 'c' }), []);
      }),
    );

    it(
      'refuses what is too large',
      use(async ({ store }) => {
        await rejects(write(store, put('a', 'x'.repeat(2_000_000))), 'refused');
        await rejects(write(store, put('b'), put('a', 'x'.repeat(4_000_000))), 'refused');
        await write(store, put('a', 'x'.repeat(1_500_000)));
        assert.deepEqual(await read(store, { from: 'b' }), []);
      }),
    );
  });
}
