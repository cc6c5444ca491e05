import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sleep, systemClock } from '@flotilla/runtime';
import type { UnitName } from '@flotilla/unit';
import { keys } from './keys.js';
import { MemoryStore } from './memory-store.js';
import { type CommitOptions, commitPlan, type PlanWrite } from './plan-writer.js';
import { maxTransactionSize, type Revision, type Transaction, type TransactionResult } from './store.js';

const bytes = new TextEncoder().encode('{}');

/** A memory store that keeps count of its transactions, and can run something before one. */
class WatchedStore extends MemoryStore {
  readonly transactions: Transaction[] = [];
  beforeTransaction: (transaction: Transaction) => Promise<void> = async () => {};
  inFlight = 0;
  mostInFlight = 0;

  override async transact(transaction: Transaction): Promise<TransactionResult> {
    this.transactions.push(transaction);
    this.mostInFlight = Math.max(this.mostInFlight, ++this.inFlight);
    await this.beforeTransaction(transaction);
    try {
      return await super.transact(transaction);
    } finally {
      this.inFlight--;
    }
  }
}

async function put(store: MemoryStore, key: string): Promise<Revision> {
  return (await store.transact({ success: [{ kind: 'put', key, value: bytes }] })).revision;
}

/** A store with a leader and a machine, and what a commit to it told. */
async function prepare() {
  const store = new WatchedStore({ clock: systemClock });
  const fence = await put(store, keys.leader);
  const machine = await put(store, 'machines/m1');
  store.transactions.length = 0;
  const committed: string[] = [];
  const refused: string[] = [];
  const commit = (writes: readonly PlanWrite[], changes: Partial<CommitOptions> = {}) =>
    commitPlan({
      store,
      writes,
      leadership: { fence, isFresh: () => true },
      signal: new AbortController().signal,
      onCommitted: (done) => committed.push(...done.map(({ unit }) => String(unit))),
      onRefused: (write, failed) => refused.push(`${write.unit}: ${failed.map(({ key }) => key).join()}`),
      ...changes,
    });
  /** Places a unit that does not exist before on the machine. */
  const write = (index: number): PlanWrite => {
    const unit = `u${String(index).padStart(4, '0')}.service` as UnitName;
    return {
      unit,
      compares: [
        { key: `units/${unit}`, on: 'mod-revision', equals: 0 },
        { key: `placements/${unit}`, on: 'mod-revision', equals: 0 },
        { key: 'machines/m1', on: 'create-revision', equals: machine },
      ],
      operations: [
        { kind: 'put', key: `placements/${unit}`, value: bytes },
        { kind: 'put', key: `schedule/m1/${unit}`, value: bytes },
      ],
    };
  };
  const writes = (count: number) => Array.from({ length: count }, (_, index) => write(index));
  const placed = async () => (await store.range({ from: 'placements/', to: 'placements0', keysOnly: true })).kvs.length;
  return { store, fence, commit, committed, refused, writes, placed };
}

test('a plan is written in full transactions, what they have in common compared once', async () => {
  const { commit, committed, store, writes, placed } = await prepare();
  assert.equal(await commit(writes(200)), 'done');
  assert.equal(committed.length, 200);
  assert.equal(await placed(), 200);
  // 63 units make 126 compares, with the fence and the machine 128.
  assert.deepEqual(
    store.transactions.map(({ compares = [], success }) => [compares.length, success.length]),
    [
      [128, 126],
      [128, 126],
      [128, 126],
      [24, 22],
    ],
  );
});

test('no transaction is larger than the store takes, and no more than 8 wait at once', async () => {
  const { commit, store, writes, placed } = await prepare();
  assert.equal(await commit(writes(2_000)), 'done');
  assert.equal(await placed(), 2_000);
  for (const { compares = [], success, failure = [] } of store.transactions) {
    for (const { length } of [compares, success, failure]) assert.ok(length <= maxTransactionSize);
  }
  assert.equal(store.mostInFlight, 8);
});

test('a refused transaction drops what it failed on and commits the rest', async () => {
  const { commit, committed, refused, store, writes, placed } = await prepare();
  await put(store, 'units/u0003.service');
  await put(store, 'placements/u0007.service');
  assert.equal(await commit(writes(20)), 'done');
  assert.deepEqual(refused.sort(), ['u0003.service: units/u0003.service', 'u0007.service: placements/u0007.service']);
  assert.equal(committed.length, 18);
  assert.equal(await placed(), 19);
});

test('a compare that several writes have in common drops them all', async () => {
  const { commit, committed, refused, store, writes } = await prepare();
  await store.transact({ success: [{ kind: 'delete', from: 'machines/m1' }] });
  assert.equal(await commit(writes(100)), 'done');
  assert.equal(refused.length, 100);
  assert.deepEqual(committed, []);
});

test('a fenced leader writes nothing more and is told so', async () => {
  const { commit, committed, refused, store, writes, placed } = await prepare();
  await store.transact({ success: [{ kind: 'delete', from: keys.leader }] });
  await put(store, keys.leader);
  assert.equal(await commit(writes(2_000)), 'fenced');
  assert.equal(await placed(), 0);
  assert.deepEqual([committed, refused], [[], []]);
});

test('a leader whose lease is not fresh does not even ask', async () => {
  const { commit, fence, store, writes } = await prepare();
  assert.equal(await commit(writes(10), { leadership: { fence, isFresh: () => false } }), 'stale');
  assert.deepEqual(store.transactions, []);
});

test('an aborted commit begins no further transaction', async () => {
  const { commit, committed, store, writes, placed } = await prepare();
  const abort = new AbortController();
  store.beforeTransaction = async () => abort.abort();
  assert.equal(await commit(writes(2_000), { signal: abort.signal }), 'stopped');
  assert.equal(committed.length, 63);
  assert.equal(await placed(), 63);
});

test('a lost reply is told as uncertain, whether or not the transaction took effect', async () => {
  for (const [lose, expected] of [
    ['loseNextReply', 63],
    ['loseNextRequest', 0],
  ] as const) {
    const { commit, store, writes, placed } = await prepare();
    store[lose]();
    assert.equal(await commit(writes(63)), 'uncertain');
    assert.equal(await placed(), expected);
  }
});

test('an unreachable store is an error, thrown when nothing is in flight', async () => {
  const { commit, committed, store, writes } = await prepare();
  store.cut();
  await assert.rejects(commit(writes(2_000)), { code: 'store-unavailable' });
  assert.equal(store.inFlight, 0);
  assert.deepEqual(committed, []);
});

test('a write that fits no transaction is an error, thrown when nothing is in flight', async () => {
  const { commit, committed, store, writes } = await prepare();
  const [first, ...rest] = writes(127);
  const oversized = { unit: first?.unit, compares: [], operations: rest.flatMap(({ operations }) => operations) };
  store.beforeTransaction = () => sleep(systemClock, 0);
  await assert.rejects(commit([...rest, oversized]), { code: 'oversized-write' });
  assert.equal(store.inFlight, 0);
  assert.equal(committed.length, rest.length);
});

test('a lost reply is told even if the store is unreachable by then', async () => {
  const { commit, store, writes } = await prepare();
  store.loseNextReply();
  store.beforeTransaction = async () => {
    if (store.transactions.length === 1) return;
    await sleep(systemClock, 0);
    store.cut();
  };
  assert.equal(await commit(writes(2_000)), 'uncertain');
});
