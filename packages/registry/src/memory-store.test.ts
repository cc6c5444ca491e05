import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TestClock } from '@flotilla/runtime';
import { describeStoreContract } from './contract.js';
import { MemoryStore } from './memory-store.js';
import { put, Recorder, read, rejects, remove, until, write } from './store-harness.js';
import { storeAlarms } from './store-health.js';

function createHarness() {
  const clock = new TestClock();
  const store = new MemoryStore({ clock });
  const other = store.client();
  const elapse = (ms: number) => clock.advance(ms);
  let backup = store.revision;
  return {
    store,
    other,
    elapse,
    faults: {
      cut: async () => store.cut(),
      heal: async () => store.heal(),
      loseNextReply: async () => store.loseNextReply(),
      compact: async (revision: number) => void (await other.compact(revision)),
      backup: async () => {
        backup = store.revision;
      },
      restore: async () => store.restore(backup),
      wipe: async () => store.wipe(),
      swap: async () => store.swap(),
    },
    close: async () => {
      await store.close();
      await other.close();
    },
  };
}

describeStoreContract('MemoryStore', async () => createHarness());

describe('the levers of MemoryStore', () => {
  it('a cut holds one client back, not the others, and not the leases', async () => {
    const { store, other, elapse } = createHarness();
    const { id } = await store.grantLease(5);
    await write(store, put('a', '', id));
    store.cut();
    await rejects(store.range({ from: 'a' }), 'unavailable');
    assert.deepEqual(await read(other, { from: 'a' }), ['a=']);
    await elapse(5_000);
    assert.deepEqual(await read(other, { from: 'a' }), []);
  });

  it('a request that is lost changes nothing', async () => {
    const { store } = createHarness();
    store.loseNextRequest();
    await rejects(write(store, put('a')), 'uncertain');
    assert.deepEqual(await read(store, { from: 'a' }), []);
  });

  it('restore brings keys and their leases back as they were', async () => {
    const harness = createHarness();
    const { store, elapse } = harness;
    const { id } = await store.grantLease(5);
    const backup = await write(store, put('a', 'old', id), put('b'));
    const seen = new Recorder(store, { ranges: [{ from: 'a' }], fromRevision: backup });
    await write(store, put('a', 'new'));
    await store.revokeLease(id);
    await until(harness, 'it is told', () => seen.lines.length === 2);
    store.restore(backup);
    await until(harness, 'it breaks', () => seen.broken !== undefined);
    assert.equal(seen.broken, 'went-back');
    assert.equal(store.revision, backup);
    assert.deepEqual(await read(store, { from: 'a', to: 'c' }), ['a=old', 'b=']);
    await elapse(5_000);
    assert.deepEqual(await read(store, { from: 'a', to: 'c' }), ['b=']);
  });

  it('without space it takes deletes and keepalives, and refuses what would be new', async () => {
    const { store, other } = createHarness();
    const lease = await store.grantLease(60);
    await write(store, put('a', '', lease.id), put('b'));
    other.raise('no-space');
    await rejects(write(store, put('c')), 'refused');
    await rejects(store.transact({ success: [remove('a')], failure: [put('a')] }), 'refused');
    await rejects(store.grantLease(60), 'refused');
    await write(store, remove('b'));
    assert.deepEqual(await store.keepLeaseAlive(lease.id), lease);
    assert.deepEqual(await read(store, { from: 'a', to: 'd' }), ['a=']);
    other.raise('corrupt');
    await rejects(write(store, remove('a')), 'refused');
    assert.deepEqual(
      storeAlarms(await store.readHealth()).map(({ code }) => code),
      ['store-corrupt', 'store-no-space'],
    );
    other.disarm();
    await write(store, put('c'));
  });

  it('a value is not shared with the one who put it', async () => {
    const { store } = createHarness();
    const value = Uint8Array.of(65);
    await store.transact({ success: [{ kind: 'put', key: 'a', value }] });
    value[0] = 66;
    assert.deepEqual(await read(store, { from: 'a' }), ['a=A']);
  });
});
