import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger, TestClock } from '@flotilla/runtime';
import fc from 'fast-check';
import { follow } from './follow.js';
import { MemoryStore } from './memory-store.js';
import { prefixRange, StoreError, type WatchBreak, type WatchEvent, type WatchRange } from './store.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Follows ranges into a plain map, which must equal the store's content whenever nothing is on its way. */
function followIntoMap(store: MemoryStore, clock: TestClock, ranges: readonly WatchRange[] = [prefixRange('units/')]) {
  const seen = new Map<string, string>();
  const broken: WatchBreak[] = [];
  let snapshots = 0;
  const apply = (event: WatchEvent) => {
    if (event.kind === 'delete') seen.delete(event.key);
    else seen.set(event.kv.key, decoder.decode(event.kv.value));
  };
  const following = follow({
    store,
    ranges,
    clock,
    log: silentLogger,
    follower: {
      onSnapshot(kvs) {
        snapshots++;
        seen.clear();
        for (const kv of kvs) seen.set(kv.key, decoder.decode(kv.value));
      },
      onEvents: (events) => {
        for (const event of events) apply(event);
      },
      onBroken: (reason) => broken.push(reason),
    },
  });
  return { following, seen, broken, snapshots: () => snapshots };
}

function put(store: MemoryStore, key: string, value: string) {
  return store.transact({ success: [{ kind: 'put', key, value: encoder.encode(value) }] });
}

test('a snapshot comes first, then each change', async () => {
  const clock = new TestClock();
  const store = new MemoryStore({ clock });
  await put(store, 'units/a', '1');
  await put(store, 'other/a', '1');
  const { following, seen } = followIntoMap(store, clock);
  await following.synced;
  assert.deepEqual([...seen], [['units/a', '1']]);
  await put(store, 'units/b', '2');
  await store.transact({ success: [{ kind: 'delete', from: 'units/a' }] });
  await clock.advance(0);
  assert.deepEqual([...seen], [['units/b', '2']]);
  following.close();
  await put(store, 'units/c', '3');
  await clock.advance(0);
  assert.equal(seen.has('units/c'), false);
});

test('a snapshot of more than a page is read at one revision', async () => {
  const clock = new TestClock();
  const store = new MemoryStore({ clock });
  for (let i = 0; i < 11_000; i += 100) {
    const keysOfBatch = Array.from({ length: 100 }, (_, j) => `units/${String(i + j).padStart(6, '0')}`);
    await store.transact({ success: keysOfBatch.map((key) => ({ kind: 'put', key, value: encoder.encode('x') })) });
  }
  const { following, seen } = followIntoMap(store, clock);
  await following.synced;
  assert.equal(seen.size, 11_000);
  following.close();
});

test('a range of deletes only is not listed, and its puts are not told', async () => {
  const clock = new TestClock();
  const store = new MemoryStore({ clock });
  await put(store, 'states/a', '1');
  const deleted: string[] = [];
  const following = follow({
    store,
    ranges: [{ ...prefixRange('states/'), deletesOnly: true }],
    clock,
    log: silentLogger,
    follower: {
      onSnapshot: (kvs) => assert.deepEqual(kvs, []),
      onEvents: (events) => {
        for (const event of events) deleted.push(event.kind === 'delete' ? event.key : 'a put');
      },
    },
  });
  await following.synced;
  await put(store, 'states/b', '1');
  await store.transact({ success: [{ kind: 'delete', from: 'states/a' }] });
  await clock.advance(0);
  assert.deepEqual(deleted, ['states/a']);
  following.close();
});

test('a store that can’t be reached at first is asked again', async () => {
  const clock = new TestClock();
  const store = new MemoryStore({ clock });
  await put(store, 'units/a', '1');
  store.cut();
  const { following, seen, snapshots } = followIntoMap(store, clock);
  await clock.advance(60_000);
  assert.equal(snapshots(), 0);
  store.heal();
  await clock.advance(6_000);
  assert.deepEqual([...seen.keys()], ['units/a']);
  following.close();
});

test('nothing is lost over an outage, and no second snapshot is read', async () => {
  const clock = new TestClock();
  const store = new MemoryStore({ clock });
  const other = store.client();
  const { following, seen, snapshots } = followIntoMap(store, clock);
  await following.synced;
  store.cut();
  await put(other, 'units/a', '1');
  await put(other, 'units/a', '2');
  await clock.advance(0);
  assert.equal(seen.size, 0);
  store.heal();
  await clock.advance(0);
  assert.deepEqual([...seen], [['units/a', '2']]);
  assert.equal(snapshots(), 1);
  following.close();
});

test('after a compaction during an outage everything is read again', async () => {
  const clock = new TestClock();
  const store = new MemoryStore({ clock });
  const other = store.client();
  await put(store, 'units/gone', '1');
  const { following, seen, broken, snapshots } = followIntoMap(store, clock);
  await following.synced;
  store.cut();
  await other.transact({ success: [{ kind: 'delete', from: 'units/gone' }] });
  await put(other, 'units/new', '1');
  await other.compact(other.revision);
  store.heal();
  await clock.advance(1_000);
  assert.deepEqual(broken, ['compacted']);
  assert.equal(snapshots(), 2);
  assert.deepEqual([...seen.keys()], ['units/new']);
  following.close();
});

test('a wiped store is noticed and read again', async () => {
  const clock = new TestClock();
  const store = new MemoryStore({ clock });
  await put(store, 'units/a', '1');
  const { following, seen, broken } = followIntoMap(store, clock);
  await following.synced;
  store.wipe();
  await clock.advance(1_000);
  assert.deepEqual(broken, ['went-back']);
  assert.equal(seen.size, 0);
  following.close();
});

test('whatever happens, the follower ends with the store’s content', async () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('put' as const), key: fc.constantFrom('a', 'b', 'c') }),
    fc.record({ do: fc.constant('delete' as const), key: fc.constantFrom('a', 'b', 'c') }),
    fc.record({ do: fc.constantFrom('cut' as const, 'heal' as const, 'compact' as const, 'wait' as const) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const clock = new TestClock();
      const writer = new MemoryStore({ clock });
      const reader = writer.client();
      const { following, seen } = followIntoMap(reader, clock);
      let value = 0;
      let compacted = writer.revision;
      for (const action of steps) {
        if (action.do === 'put') await put(writer, `units/${action.key}`, String(value++));
        else if (action.do === 'delete') {
          await writer.transact({ success: [{ kind: 'delete', from: `units/${action.key}` }] });
        } else if (action.do === 'compact' && writer.revision > compacted) {
          compacted = writer.revision;
          await writer.compact(compacted);
        } else if (action.do === 'wait') await clock.advance(50);
        else if (action.do !== 'compact') reader[action.do]();
      }
      reader.heal();
      await clock.advance(20_000);
      following.close();
      const { kvs } = await writer.range(prefixRange('units/'));
      assert.deepEqual(
        Object.fromEntries(seen),
        Object.fromEntries(kvs.map((kv) => [kv.key, decoder.decode(kv.value)])),
      );
    }),
  );
});

test('it says nothing of a snapshot that comes to nothing because it was closed', async () => {
  const clock = new TestClock();
  const store = new MemoryStore({ clock });
  store.range = () => Promise.reject(new StoreError('unavailable', 'the store is closed'));
  const warnings: string[] = [];
  const following = follow({
    store,
    ranges: [prefixRange('units/')],
    clock,
    log: { ...silentLogger, warn: (message) => warnings.push(message) },
    follower: { onSnapshot: () => undefined, onEvents: () => undefined },
  });
  following.close();
  await clock.advance(0);
  assert.deepEqual(warnings, []);
});
