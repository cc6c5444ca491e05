import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestClock } from '@flotilla/runtime';
import { MemoryStore } from './memory-store.js';
import { StoreInspector } from './store-inspector.js';

test('one look serves all who ask, until it is too old for who asks; nobody asks: no look', async () => {
  const clock = new TestClock();
  const store = new MemoryStore({ clock });
  const inspector = new StoreInspector({ store, clock });
  await clock.advance(3_600_000);
  assert.deepEqual([inspector.last, store.looks], [undefined, 0]);
  await Promise.all([inspector.inspect(5_000), inspector.inspect(60_000)]);
  assert.equal(store.looks, 1);
  store.raise('no-space');
  await clock.advance(4_999);
  assert.deepEqual((await inspector.inspect(5_000)).alarms, []);
  await clock.advance(1);
  assert.deepEqual((await inspector.inspect(60_000)).alarms, []);
  assert.equal((await inspector.inspect(5_000)).alarms[0]?.code, 'store-no-space');
  assert.equal(inspector.last?.alarms[0]?.code, 'store-no-space');
  assert.equal(store.looks, 2);
  await store.close();
  await assert.rejects(inspector.inspect(0), { code: 'store-unavailable' });
  assert.equal(inspector.last?.alarms.length, 1);
});
