import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger, TestClock } from '@flotilla/runtime';
import { keys, parseKey } from './keys.js';
import { MemoryStore } from './memory-store.js';
import { readSettings, writeSettings } from './settings.js';

test('settings are kept as they were given, and gone when they are no longer set', async () => {
  const store = new MemoryStore({ clock: new TestClock() });
  const access = { store, log: silentLogger };
  assert.deepEqual(await readSettings(access), new Map());
  await writeSettings(
    store,
    new Map([
      ['loss_grace', '90s'],
      ['strategy', 'binpack'],
    ]),
  );
  assert.deepEqual(Object.fromEntries(await readSettings(access)), { loss_grace: '90s', strategy: 'binpack' });
  await writeSettings(
    store,
    new Map([
      ['strategy', undefined],
      ['max_units', undefined],
    ]),
  );
  assert.deepEqual(Object.fromEntries(await readSettings(access)), { loss_grace: '90s' });
  const { revision } = store;
  await writeSettings(store, new Map());
  assert.equal(store.revision, revision);
});

test('a record that can not be read counts as not set', async () => {
  const store = new MemoryStore({ clock: new TestClock() });
  await store.transact({
    success: [{ kind: 'put', key: keys.setting('strategy'), value: new TextEncoder().encode('nonsense') }],
  });
  assert.deepEqual(await readSettings({ store, log: silentLogger }), new Map());
});

test("settings of the cluster, of machines, and machines' metadata are told apart", () => {
  assert.deepEqual(parseKey('settings/strategy'), { kind: 'setting', key: 'strategy' });
  assert.deepEqual(parseKey('settings/machines/m1'), { kind: 'machine-settings', machine: 'm1' });
  assert.deepEqual(parseKey('metadata/m1/a.b'), { kind: 'metadata', machine: 'm1', key: 'a.b' });
  assert.equal(parseKey('settings/others/m1'), undefined);
  assert.equal(parseKey('metadata/m1'), undefined);
});
