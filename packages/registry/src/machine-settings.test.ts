import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MachineId } from '@flotilla/cluster';
import { silentLogger, TestClock } from '@flotilla/runtime';
import { keys } from './keys.js';
import { changeMachineSettings } from './machine-settings.js';
import { RacingStore } from './racing-store.js';
import { decodeRecord } from './records.js';

const machine = 'm1' as MachineId;

function setUp() {
  const store = new RacingStore({ clock: new TestClock() });
  const key = keys.machineSettings(machine);
  const read = async () => {
    const [kv] = (await store.range({ from: key })).kvs;
    return kv && decodeRecord<object>(key, kv.value);
  };
  const put = (text: string) =>
    store.transact({ success: [{ kind: 'put', key, value: new TextEncoder().encode(text) }] });
  return { store, access: { store, log: silentLogger }, read, put };
}

test('what else is in the record stays, and an empty record goes', async () => {
  const { access, read, put } = setUp();
  await put('{"cordoned":true}');
  await changeMachineSettings(access, machine, (settings) => ({ ...settings, maxUnits: 3 }));
  assert.deepEqual(await read(), { cordoned: true, maxUnits: 3 });
  await changeMachineSettings(access, machine, () => ({}));
  assert.equal(await read(), undefined);
  assert.equal(await changeMachineSettings(access, machine, () => ({})), 'changed');
});

test('a change of another one in between is kept', async () => {
  const { store, access, read } = setUp();
  store.beforeCompare = async () => {
    store.beforeCompare = undefined;
    await changeMachineSettings(access, machine, (settings) => ({ ...settings, other: 1 }));
  };
  assert.equal(await changeMachineSettings(access, machine, (settings) => ({ ...settings, maxUnits: 5 })), 'changed');
  assert.deepEqual(await read(), { maxUnits: 5, other: 1 });
});

test('a record that can not be read is written anew', async () => {
  const { access, read, put } = setUp();
  await put('nonsense');
  await changeMachineSettings(access, machine, (settings) => ({ ...settings, maxUnits: 5 }));
  assert.deepEqual(await read(), { maxUnits: 5 });
});
