import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MachineId } from '@flotilla/cluster';
import { silentLogger, TestClock } from '@flotilla/runtime';
import { keys, ranges } from './keys.js';
import { changeMetadata, type MetadataChange, readMetadataSources } from './machine-metadata.js';
import { RacingStore } from './racing-store.js';
import { encodeRecord } from './records.js';

const m1 = 'm1' as MachineId;
const m2 = 'm2' as MachineId;

function setUp() {
  const store = new RacingStore({ clock: new TestClock() });
  const access = { store, log: silentLogger };
  const register = (id: MachineId, metadata: Readonly<Record<string, string>>) =>
    store.transact({ success: [{ kind: 'put', key: keys.machine(id), value: encodeRecord({ metadata }) }] });
  const change = (id: MachineId, byKey: Readonly<Record<string, MetadataChange>>) =>
    changeMetadata(access, new Map([[id, new Map(Object.entries(byKey))]]));
  const overrides = async (id: MachineId) => Object.fromEntries((await readMetadataSources(access, id)).overrides);
  return { store, access, register, change, overrides };
}

test('a key that is set is remembered, of machines that are not there as well', async () => {
  const { access, change, overrides } = setUp();
  assert.equal(
    await change(m1, { role: { kind: 'set', value: 'db' }, 'a.b_c-d': { kind: 'set', value: 'x=y' } }),
    'changed',
  );
  assert.deepEqual(await overrides(m1), { 'a.b_c-d': 'x=y', role: 'db' });
  assert.deepEqual(await overrides(m2), {});
  assert.equal((await readMetadataSources(access, m1)).own, undefined);
});

test('unset deletes what only was set, and hides what the machine has of its own', async () => {
  const { access, register, change, overrides } = setUp();
  await register(m1, { role: 'db' });
  await change(m1, { role: { kind: 'set', value: 'web' }, rack: { kind: 'set', value: '7' } });
  await change(m1, { role: { kind: 'unset' }, rack: { kind: 'unset' }, nothing: { kind: 'unset' } });
  assert.deepEqual(await overrides(m1), { role: '' });
  assert.deepEqual((await readMetadataSources(access, m1)).own, new Map([['role', 'db']]));
});

test('unset hides whatever a machine that is not there may have', async () => {
  const { change, overrides } = setUp();
  await change(m1, { role: { kind: 'unset' } });
  assert.deepEqual(await overrides(m1), { role: '' });
});

test("reset brings the machine's own back", async () => {
  const { register, change, overrides } = setUp();
  await register(m1, { role: 'db' });
  await change(m1, { role: { kind: 'unset' } });
  await change(m1, { role: { kind: 'reset' }, rack: { kind: 'reset' } });
  assert.deepEqual(await overrides(m1), {});
});

test('a machine that registers meanwhile with the key has it hidden', async () => {
  const { store, register, change, overrides } = setUp();
  await register(m1, {});
  await change(m1, { role: { kind: 'set', value: 'web' } });
  store.beforeCompare = async () => {
    store.beforeCompare = undefined;
    await register(m1, { role: 'db' });
  };
  assert.equal(await change(m1, { role: { kind: 'unset' } }), 'changed');
  assert.deepEqual(await overrides(m1), { role: '' });
});

test('a machine that keeps registering is given up on, and nothing is changed', async () => {
  const { store, register, change, overrides } = setUp();
  await change(m1, { role: { kind: 'set', value: 'web' } });
  let count = 0;
  store.beforeCompare = () => register(m1, { count: String(count++) });
  assert.equal(await change(m1, { role: { kind: 'unset' } }), 'conflict');
  assert.deepEqual(await overrides(m1), { role: 'web' });
});

test('128 keys are changed at one revision, more in parts', async () => {
  const { store, access } = setUp();
  const keysOf = (count: number) =>
    new Map(
      Array.from({ length: count }, (_, at): [string, MetadataChange] => [`k${at}`, { kind: 'set', value: 'v' }]),
    );
  const revisions = async () => {
    const { kvs } = await store.range(ranges.metadata);
    return [kvs.length, new Set(kvs.map((kv) => kv.modRevision)).size];
  };
  await changeMetadata(
    access,
    new Map([
      [m1, keysOf(28)],
      [m2, keysOf(100)],
    ]),
  );
  assert.deepEqual(await revisions(), [128, 1]);
  await changeMetadata(
    access,
    new Map([
      [m1, keysOf(29)],
      [m2, keysOf(100)],
    ]),
  );
  assert.deepEqual(await revisions(), [129, 2]);
});
