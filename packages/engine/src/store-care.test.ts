import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { type CompactionRecord, decodeRecord, keys, type Revision, StoreError } from '@flotilla/registry';
import { TestCluster } from './test-cluster.js';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

let cluster: TestCluster;
beforeEach(() => {
  cluster = new TestCluster();
});
afterEach(() => cluster.close());

/** Makes `count` revisions that mean nothing to the engine. */
async function stir(count = 600): Promise<Revision> {
  let revision = 0;
  for (let at = 0; at < count; at++)
    revision = await cluster.write({ kind: 'put', key: 'stir', value: new Uint8Array() });
  return revision;
}

async function findMark(): Promise<CompactionRecord | undefined> {
  const [kv] = (await cluster.store.range({ from: keys.compaction })).kvs;
  return kv === undefined ? undefined : decodeRecord<CompactionRecord>(kv.key, kv.value);
}

async function isKept(revision: Revision): Promise<boolean> {
  try {
    await cluster.store.range({ from: 'stir', revision });
    return true;
  } catch (error) {
    assert.ok(error instanceof StoreError && error.kind === 'compacted');
    return false;
  }
}

function warnings(): string[] {
  return cluster.lines.flatMap(({ level, message, fields }) =>
    level === 'warn' && message.startsWith('the store') ? `${message} ${String(fields?.alarm ?? '')}`.trim() : [],
  );
}

describe('the leader and the history', () => {
  test('keeps the last hour, hardly more than two, and needs one write an hour for it', async () => {
    const { store } = await cluster.lead();
    const start = await stir();
    await cluster.clock.advance(20 * minuteMs);
    assert.deepEqual(await findMark().then((mark) => mark?.revision), start);
    const transactions = store.transactions.length;
    const marks: Revision[] = [];
    for (let hour = 0; hour < 5; hour++) {
      await cluster.clock.advance(40 * minuteMs);
      const young = await stir();
      await cluster.clock.advance(20 * minuteMs);
      marks.push((await findMark())?.revision ?? 0);
      assert.ok(await isKept(young), `what is 20 minutes old at ${hour}`);
    }
    assert.equal(await isKept(start - 1), false);
    assert.ok(new Set(marks).size >= 4, `marks move on: ${marks}`);
    const [oldest = 0] = marks;
    assert.equal(await isKept(oldest), false, 'what is more than two hours old is forgotten');
    assert.ok(store.transactions.length - transactions <= 5);
  });

  test('goes on where another leader has left off', async () => {
    const first = await cluster.lead('e1');
    await cluster.lead('e2');
    const start = await stir();
    await cluster.clock.advance(20 * minuteMs);
    const mark = await findMark();
    await first.engine.close({ resign: true });
    const later = await stir();
    await cluster.clock.advance(30 * minuteMs);
    assert.deepEqual(await findMark(), mark);
    assert.ok(await isKept(start));
    await cluster.clock.advance(30 * minuteMs);
    assert.equal(await isKept(start - 1), false);
    assert.ok(await isKept(later));
  });

  test('an idle store is not written to', async () => {
    const { store } = await cluster.lead();
    await stir();
    await cluster.clock.advance(3 * hourMs);
    const { revision } = cluster.store;
    const transactions = store.transactions.length;
    await cluster.clock.advance(5 * hourMs);
    assert.equal(cluster.store.revision, revision);
    assert.equal(store.transactions.length, transactions);
  });

  test('a store that has compacted itself further is no trouble, nor is one that refuses to', async () => {
    const { store } = await cluster.lead();
    await stir();
    await cluster.clock.advance(20 * minuteMs);
    const before = await findMark();
    await stir();
    await cluster.store.compact(cluster.store.revision);
    await cluster.clock.advance(70 * minuteMs);
    const after = await findMark();
    assert.notDeepEqual(after, before);
    store.compact = () => Promise.reject(new StoreError('refused', 'etcd: permission denied'));
    for (let hour = 0; hour < 3; hour++) {
      await stir();
      await cluster.clock.advance(70 * minuteMs);
    }
    assert.notDeepEqual(await findMark(), after);
    assert.deepEqual(warnings(), ['the store refuses to compact its history; have it do that itself']);
  });

  test('who leads no more sets no mark', async () => {
    const { store } = await cluster.lead();
    const start = await stir();
    store.before = async () => {
      const value = new Uint8Array();
      await cluster.write({ kind: 'delete', from: keys.leader });
      await cluster.write({ kind: 'put', key: keys.leader, value });
    };
    await cluster.clock.advance(20 * minuteMs);
    assert.equal(await findMark(), undefined);
    assert.ok(await isKept(start));
  });

  test('a mark that makes no sense is replaced', async () => {
    await cluster.lead();
    await cluster.write({ kind: 'put', key: keys.compaction, value: new TextEncoder().encode('{"revision":"?"}') });
    const revision = await stir();
    await cluster.clock.advance(20 * minuteMs);
    assert.deepEqual((await findMark())?.revision, revision);
  });
});

describe("the leader and the store's alarms", () => {
  test('tells each when it appears and when it is over, and looks every ten minutes at most', async () => {
    const { store } = await cluster.lead();
    await cluster.clock.advance(minuteMs);
    cluster.store.raise('corrupt');
    await cluster.clock.advance(3 * hourMs);
    assert.deepEqual(warnings(), ['the store needs care store-corrupt']);
    cluster.store.disarm();
    await cluster.clock.advance(20 * minuteMs);
    assert.deepEqual(warnings().slice(1), ['the store needs that care no more store-corrupt']);
    // Four hours, ten minutes apart give or take the jitter.
    assert.ok(store.client.looks >= 12 && store.client.looks <= 30, `${store.client.looks} looks`);
  });

  test('looks at once when a write is refused, stays the leader, and goes on by itself when there is room', async () => {
    const { engine, store } = await cluster.lead();
    await cluster.join('m1');
    await cluster.clock.advance(5 * minuteMs);
    const { name } = await cluster.submit('a.service');
    cluster.store.raise('no-space');
    const looks = store.client.looks;
    await cluster.clock.advance(30_000);
    assert.deepEqual(warnings(), ['the store needs care store-no-space']);
    assert.equal(store.client.looks, looks + 1);
    await cluster.clock.advance(4 * hourMs);
    assert.equal(engine.isLeading, true);
    const failures = cluster.lines.filter(
      ({ level, message }) => level === 'warn' && message.startsWith('pass failed'),
    );
    assert.ok(failures.length > 0 && failures.length < 15, `${failures.length} lines in 4 hours`);
    assert.deepEqual(await cluster.layout(), []);
    cluster.store.disarm();
    await cluster.clock.advance(20_000);
    assert.deepEqual(await cluster.layout(), [`${name} > m1`, `${name} @ m1`]);
  });

  test('history is compacted although there is no room for the next mark', async () => {
    await cluster.lead();
    const start = await stir();
    await cluster.clock.advance(20 * minuteMs);
    await stir();
    cluster.store.raise('no-space');
    await cluster.clock.advance(2 * hourMs);
    assert.equal(await isKept(start - 1), false);
  });
});
