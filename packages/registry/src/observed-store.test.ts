import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TestClock } from '@flotilla/runtime';
import { MemoryStore } from './memory-store.js';
import { observeStore, type StoreOperationKind } from './observed-store.js';
import type { Operation } from './store.js';
import { prefixRange } from './store.js';

const put: Operation = { kind: 'put', key: 'a', value: new Uint8Array() };

function observed() {
  const clock = new TestClock();
  const told: (readonly [StoreOperationKind, boolean])[] = [];
  const memory = new MemoryStore({ clock });
  const store = observeStore({ store: memory, clock, observer: (kind, { isFailed }) => told.push([kind, isFailed]) });
  return { store, memory, told };
}

describe('a store that is observed', () => {
  test('tells reads of keys, reads of ranges and writes apart', async () => {
    const { store, told } = observed();
    await store.range({ from: 'a' });
    await store.range(prefixRange('a/'));
    await store.transact({ success: [{ kind: 'range', from: 'a' }] });
    await store.transact({
      success: [
        { kind: 'range', from: 'a' },
        { kind: 'range', ...prefixRange('b/') },
      ],
    });
    await store.transact({ success: [put] });
    await store.transact({ success: [], failure: [{ kind: 'delete', from: 'a' }] });
    const kinds = told.map(([kind]) => kind);
    assert.deepEqual(kinds, ['get', 'get_all', 'get', 'get_all', 'set', 'set']);
    assert.ok(told.every(([, isFailed]) => !isFailed));
  });

  test('a refused compare is an answer; a store that is away is a failure, and throws as ever', async () => {
    const { store, memory, told } = observed();
    const refused = { compares: [{ key: 'a', on: 'mod-revision', equals: 9 }], success: [put] } as const;
    assert.equal((await store.transact(refused)).succeeded, false);
    memory.cut();
    await assert.rejects(store.range({ from: 'a' }), { code: 'store-unavailable' });
    assert.deepEqual(told, [
      ['set', false],
      ['get', true],
    ]);
  });

  test('passes everything else on', async () => {
    const { store, memory } = observed();
    const { id } = await store.grantLease(5);
    assert.equal((await store.keepLeaseAlive(id))?.id, id);
    await store.revokeLease(id);
    assert.equal(await memory.keepLeaseAlive(id), undefined);
    assert.equal((await store.readHealth()).members.length, 1);
    await store.close();
  });
});
