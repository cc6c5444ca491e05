import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMachineId } from '@flotilla/cluster';
import { silentLogger, TestClock } from '@flotilla/runtime';
import { parseOwnerName, parseUnitName } from '@flotilla/unit';
import { adoptUnit } from './adopt-unit.js';
import { changeClaims } from './claims.js';
import { contentOf, emptyRow } from './claims-cluster.js';
import { joinDirectory, listDirectories, readClaims } from './directory-hosts.js';
import { type ForgetOutcome, forgetClaims } from './forget-claims.js';
import { keys, ranges } from './keys.js';
import { RacingStore } from './racing-store.js';

const [local, site] = [parseOwnerName('local'), parseOwnerName('site')];
const [gone, there] = [parseMachineId('a'.repeat(32)), parseMachineId('b'.repeat(32))];
const [shared, alone, adopted, other] = ['shared', 'alone', 'adopted', 'other'].map((name) =>
  parseUnitName(`${name}.service`),
) as [Unit, Unit, Unit, Unit];
type Unit = ReturnType<typeof parseUnitName>;

/** A machine that is gone, with claims of two owners. */
async function setUp() {
  const store = new RacingStore({ clock: new TestClock() });
  const access = { store, log: silentLogger };
  const hold = async (owner: typeof local, claimant: typeof gone, ...names: Unit[]) => {
    await joinDirectory(access, { owner, claimant }, emptyRow);
    const change = { kind: 'hold', content: contentOf('a1'), desiredState: 'launched', source: '' } as const;
    await changeClaims(access, { owner, claimant }, new Map(names.map((name) => [name, change])));
  };
  await hold(local, gone, shared, alone, adopted);
  await hold(local, there, shared);
  await hold(site, gone, other);
  await adoptUnit(access, adopted);
  const units = async () =>
    (await store.range({ ...ranges.units, keysOnly: true })).kvs.map(({ key }) => key.slice('units/'.length));
  const register = () =>
    store.client().transact({ success: [{ kind: 'put', key: keys.machine(gone), value: Buffer.from('{}') }] });
  return { store, access, units, register };
}

const expected: ForgetOutcome = {
  kind: 'forgotten',
  directories: [
    { owner: local, destroyed: [alone], kept: 2 },
    { owner: site, destroyed: [other], kept: 0 },
  ],
};

test('what a machine alone claimed goes with it; what others claim and what was adopted stays', async () => {
  const { access, units, store } = await setUp();
  const before = store.revision;
  assert.deepEqual(await forgetClaims(access, gone, { isDryRun: true }), expected);
  assert.equal(store.revision, before);
  assert.deepEqual(await forgetClaims(access, gone, { isDryRun: false }), expected);
  assert.deepEqual(await units(), [adopted, shared]);
  assert.deepEqual(
    (await listDirectories(access)).map(({ claimant }) => claimant),
    [there],
  );
  assert.deepEqual(await forgetClaims(access, gone, { isDryRun: false }), { kind: 'none' });
});

test('nothing is forgotten of a machine that is in the cluster, nor from when it is back', async () => {
  const { access, store, register, units } = await setUp();
  store.beforeCompare = register;
  assert.deepEqual(await forgetClaims(access, gone, { isDryRun: false }), { kind: 'present' });
  store.beforeCompare = undefined;
  assert.deepEqual(await forgetClaims(access, gone, { isDryRun: true }), { kind: 'present' });
  assert.equal((await units()).length, 4);
  assert.equal((await readClaims(access, { owner: local, claimant: gone })).size, 3);
});
