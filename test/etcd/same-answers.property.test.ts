import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  type Compare,
  MemoryStore,
  type Operation,
  prefixRange,
  type RangeResult,
  type Revision,
  type Store,
  StoreError,
  type Transaction,
} from '@flotilla/registry';
import { put, Recorder, remove, until } from '@flotilla/registry/contract';
import { systemClock } from '@flotilla/runtime';
import fc from 'fast-check';
import { etcdMissing, TestEtcd } from './etcd.js';
import { openStore, time } from './test-stores.js';

/** Revisions in a generated transaction count from the store's state at the start of the run. */
const key = fc.constantFrom('a/1', 'a/2', 'a/3', 'a/4', 'a/5', 'b');
const revision = fc.integer({ min: 0, max: 8 });
const compare = fc.record({
  key,
  on: fc.constantFrom('create-revision' as const, 'mod-revision' as const),
  equals: fc.oneof(fc.constant(0), revision),
});
const onlySometimes = { freq: 5, nil: undefined } as const;
const range = fc
  .record({
    from: key,
    to: fc.option(fc.constantFrom('a/3', 'a0', 'c')),
    limit: fc.option(fc.integer({ min: 1, max: 3 })),
    revision: fc.option(revision, onlySometimes),
    keysOnly: fc.boolean(),
  })
  .map(({ from, to, limit, revision: at, keysOnly }): Operation => {
    const narrowed = { ...(to === null ? {} : { to }), ...(limit === null ? {} : { limit }), keysOnly };
    return { kind: 'range', from, ...narrowed, ...(at === undefined ? {} : { revision: at }) };
  });
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { arbitrary: fc.tuple(key, fc.constantFrom('', 'x', 'y')).map(([at, value]) => put(at, value)), weight: 4 },
  fc.tuple(key, fc.constantFrom(undefined, 'a/3', 'a0')).map(([from, to]) => remove(from, to)),
  { arbitrary: range, weight: 2 },
);
const branch = fc.array(operation, { maxLength: 4 });
const transaction = fc.record({ compares: fc.array(compare, { maxLength: 1 }), success: branch, failure: branch });

describe('MemoryStore and EtcdStore', { skip: etcdMissing() ?? false }, () => {
  let etcd: TestEtcd;
  let runs = 0;
  before(async () => {
    etcd = await TestEtcd.start();
  });
  after(() => etcd.remove());

  it('give the same answers to the same transactions, and tell their watches the same', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(transaction, { minLength: 1, maxLength: 12 }), async (transactions) => {
        const real = openStore({ hosts: [etcd.url], prefix: `run${runs++}` });
        const memory = new MemoryStore({ clock: systemClock });
        assert.deepEqual(await history(memory, transactions), await history(real, transactions));
        await real.close();
        await memory.close();
      }),
      { numRuns: 60 },
    );
  });
});

/** All that a store says to the transactions, with revisions counted from the start. */
async function history(store: Store, transactions: readonly Transaction[]): Promise<unknown[]> {
  const base = (await store.range({ from: 'a' })).revision;
  const seen = new Recorder(store, { ranges: [prefixRange('a/')], fromRevision: base + 1 });
  const answers: unknown[] = [];
  for (const each of transactions) {
    try {
      const { succeeded, revision, ranges } = await store.transact(rebase(each, base));
      answers.push({
        succeeded,
        revision: revision - base,
        ranges: ranges.map((result) => describeRange(result, base)),
      });
    } catch (error) {
      assert.ok(error instanceof StoreError, String(error));
      answers.push(error.kind);
    }
  }
  const { revision } = await store.transact({ success: [put('a/end')] });
  await until(time, 'all is told', () => seen.revisions.at(-1) === revision);
  seen.close();
  const told = seen.lines.map((line) => line.replace(/@(\d+)$/, (_, at) => `@${Number(at) - base}`));
  return [...answers, ...told];
}

function rebase({ compares = [], success, failure = [] }: Transaction, base: Revision): Transaction {
  const rebased = (operation: Operation): Operation =>
    operation.kind === 'range' && operation.revision !== undefined
      ? { ...operation, revision: operation.revision + base }
      : operation;
  return {
    compares: compares.map((each): Compare => ({ ...each, equals: each.equals === 0 ? 0 : each.equals + base })),
    success: success.map(rebased),
    failure: failure.map(rebased),
  };
}

function describeRange({ kvs, revision, hasMore }: RangeResult, base: Revision): unknown {
  const rows = kvs.map((kv) => [kv.key, kv.value.length, kv.createRevision - base, kv.modRevision - base, kv.lease]);
  return { rows, hasMore, revision: revision - base };
}
