import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestClock } from '@flotilla/runtime';
import { readStoreIdentity, setUpStore } from './cluster-record.js';
import { MemoryStore } from './memory-store.js';

test('a new store gets one identity, whoever comes first', async () => {
  const store = new MemoryStore({ clock: new TestClock() });
  assert.equal((await readStoreIdentity(store)).cluster, undefined);
  const [a, b] = await Promise.all([setUpStore(store), setUpStore(store.client())]);
  assert.match(a.cluster?.uuid ?? '', /^[0-9a-f-]{36}$/);
  assert.equal(a.cluster?.uuid, b.cluster?.uuid);
  assert.equal((await readStoreIdentity(store)).cluster?.uuid, a.cluster?.uuid);
});
