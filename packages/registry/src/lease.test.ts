import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger, TestClock } from '@flotilla/runtime';
import { holdLease } from './lease.js';
import { MemoryStore } from './memory-store.js';
import type { LeaseGrant, LeaseId } from './store.js';

function setUp() {
  const clock = new TestClock();
  const store = new MemoryStore({ clock });
  const hold = (id?: LeaseId) =>
    holdLease({ store, clock, log: silentLogger, ttlSeconds: 10, ...(id === undefined ? {} : { id }) });
  const put = (lease: LeaseId) =>
    store.transact({ success: [{ kind: 'put', key: 'machines/a', value: new Uint8Array(), lease }] });
  const isThere = async () => (await store.range({ from: 'machines/a' })).kvs.length === 1;
  return { clock, store, hold, put, isThere };
}

test('a lease is kept alive for as long as it is held', async () => {
  const { clock, hold, put, isThere } = setUp();
  const lease = await hold();
  await put(lease.id);
  await clock.advance(60_000);
  assert.equal(lease.isFresh(), true);
  assert.equal(await isThere(), true);
  await lease.release();
  assert.equal(lease.isFresh(), false);
  assert.equal(await isThere(), false);
});

test('the fence passes before the store deletes the keys, and tells so once', async () => {
  const { clock, store, hold, put } = setUp();
  const other = store.client();
  const lease = await hold();
  await put(lease.id);
  let lost = 0;
  lease.lost.addEventListener('abort', () => lost++);
  store.cut();
  await clock.advance(7_999);
  assert.equal(lease.isFresh(), true);
  await clock.advance(1);
  assert.equal(lease.isFresh(), false);
  assert.equal(lost, 1);
  assert.equal((await other.range({ from: 'machines/a' })).kvs.length, 1);
  await clock.advance(2_000);
  assert.equal((await other.range({ from: 'machines/a' })).kvs.length, 0);
  await clock.advance(20_000);
  assert.equal(lost, 1);
});

test('the fence counts from the sending of the last answered keepalive, not from its answer', async () => {
  const { clock, store, hold } = setUp();
  const lease = await hold();
  const renew = store.keepLeaseAlive.bind(store);
  store.keepLeaseAlive = (id) =>
    new Promise<LeaseGrant | undefined>((resolve) => {
      clock.setTimer(5_000, () => resolve(renew(id)));
    });
  await clock.advance(3_334 + 5_000);
  // Sent at 3,333 ms and answered at 8,333 ms: by then the fence of the grant has passed.
  assert.equal(lease.isFresh(), false);
});

test('a process that was stopped finds its lease stale before it does anything else', async () => {
  const { clock, hold } = setUp();
  const lease = await hold();
  clock.freeze(8_000);
  assert.equal(lease.isFresh(), false);
});

test('two lost keepalives in a row do no harm', async () => {
  const { clock, store, hold } = setUp();
  const lease = await hold();
  await clock.advance(3_000);
  store.cut();
  await clock.advance(4_000);
  store.heal();
  await clock.advance(2_000);
  assert.equal(lease.isFresh(), true);
  lease.abandon();
});

test('a lease that was revoked elsewhere is lost at the next keepalive', async () => {
  const { clock, store, hold } = setUp();
  const lease = await hold();
  await store.revokeLease(lease.id);
  await clock.advance(3_400);
  assert.equal(lease.lost.aborted, true);
});

test('a next process takes a lease over by its ID, and gets a new one if it is gone', async () => {
  const { clock, store, hold } = setUp();
  const first = await hold();
  first.abandon();
  await clock.advance(5_000);
  const second = await hold(first.id);
  assert.equal(second.id, first.id);
  await clock.advance(20_000);
  assert.equal(second.isFresh(), true);
  second.abandon();
  await store.revokeLease(first.id);
  const third = await hold(first.id);
  assert.notEqual(third.id, first.id);
  third.abandon();
});
