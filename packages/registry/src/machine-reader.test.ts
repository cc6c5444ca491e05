import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MachineId } from '@flotilla/cluster';
import { silentLogger, TestClock } from '@flotilla/runtime';
import { keys } from './keys.js';
import { changeMetadata, type MetadataChange } from './machine-metadata.js';
import { listMachines } from './machine-reader.js';
import { changeMachineSettings } from './machine-settings.js';
import { MemoryStore } from './memory-store.js';
import { encodeRecord } from './records.js';
import { readSettings, writeSettings } from './settings.js';

/** In the order of their keys; in `metadata/` theirs are in another one. */
const ids = ['m', 'm-1', 'm1', 'm_'].map((id) => id as MachineId);

async function setUp() {
  const store = new MemoryStore({ clock: new TestClock() });
  const access = { store, log: silentLogger };
  for (const [at, id] of ids.entries()) {
    const record = { address: '', metadata: { role: 'db' }, ...(at === 0 ? {} : { maxUnits: 10 * at }) };
    await store.transact({ success: [{ kind: 'put', key: keys.machine(id), value: encodeRecord(record) }] });
  }
  return { store, access };
}

test('machines come with the metadata that counts, page by page', async () => {
  const { access } = await setUp();
  const all = [...ids, 'm-', 'gone' as MachineId];
  const change = (id: MachineId): [string, MetadataChange][] => [
    ['id', { kind: 'set', value: id }],
    ['role', { kind: 'unset' }],
  ];
  await changeMetadata(access, new Map(all.map((id) => [id as MachineId, new Map(change(id as MachineId))])));
  for (const limit of [1, 2, 3, 100]) {
    for (let after: string | undefined, at = 0; at < ids.length; ) {
      const page = await listMachines(access, { limit, after });
      for (const { id, metadata } of page.entries) {
        assert.equal(id, ids[at++]);
        assert.deepEqual(Object.fromEntries(metadata), { id });
      }
      after = page.next;
    }
  }
});

test('what can not be read of one machine, or of all, leaves the others as they are', async () => {
  const { store, access } = await setUp();
  const bad: readonly (readonly [string, object])[] = [
    [keys.machine('a' as MachineId), {}],
    [keys.machine('b' as MachineId), { metadata: { role: 1 } }],
    [keys.metadata('m' as MachineId, 'role'), { value: 7 }],
    [keys.machineSettings('m' as MachineId), { maxUnits: '7' }],
    [keys.setting('max_units'), { value: 7 }],
    [keys.setting('strategy'), { value: 7 }],
  ];
  const success = bad.map(([key, record]) => ({ kind: 'put', key, value: encodeRecord(record) }) as const);
  await store.transact({ success });
  const { entries } = await listMachines(access, { limit: 10 });
  assert.deepEqual(
    entries.map(({ id }) => id),
    ids,
  );
  assert.deepEqual([Object.fromEntries(entries[0]?.metadata ?? []), entries[0]?.maxUnits], [{ role: 'db' }, undefined]);
  assert.deepEqual((await readSettings(access)).size, 0);
});

test('the limit that was set goes before its own, and that before the one for all', async () => {
  const { store, access } = await setUp();
  const limits = async () => (await listMachines(access, { limit: 10 })).entries.map(({ maxUnits }) => maxUnits);
  assert.deepEqual(await limits(), [undefined, 10, 20, 30]);
  await writeSettings(store, new Map([['max_units', '5']]));
  assert.deepEqual(await limits(), [5, 10, 20, 30]);
  for (const id of ids.slice(0, 2)) await changeMachineSettings(access, id, () => ({ maxUnits: 1 }));
  assert.deepEqual(await limits(), [1, 1, 20, 30]);
});
