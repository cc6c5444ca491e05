import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { encodeRecord, keys, type MachineRecord } from '@flotilla/registry';
import { hashUnitFile, parseUnitFile } from '@flotilla/unit';
import { unitsToBringBack } from './bring-back.js';
import type { KnownUnit } from './desired.js';
import { MemoryHost, machine, service, sleeper } from './memory-host.js';

const [web, db] = [service('web'), service('db')];
const oneshot = '[Service]\nType=oneshot\nExecStart=/bin/true\n';
const ttlMs = 30_000;

const hash = hashUnitFile(parseUnitFile(sleeper));
const other = hashUnitFile(parseUnitFile(oneshot));
const ordered: KnownUnit = { hash, uid: 5, isLaunched: true, order: 1 };
const file = { hash, sha256: 's' };

for (const [says, unit, isBack] of [
  ['a unit that was to be started is brought back', {}, true],
  ['one that was to be loaded only is not', { known: { ...ordered, isLaunched: false } }, false],
  ['nor one whose file is gone', { file: undefined }, false],
  ['nor one whose file is another', { file: { hash: other, sha256: 's' } }, false],
  ['nor one whose file does not parse', { file: { hash: undefined, sha256: 's' } }, false],
  ['nor one that was started since the boot', { started: { uid: 5, order: 1 } }, false],
  ['nor one that was started since the boot by an earlier order', { started: { uid: 5, order: 0 } }, false],
] as const)
  test(says, () => {
    const { known, file: here, started } = { known: ordered, file, started: undefined, ...unit };
    const found = unitsToBringBack({
      known: new Map([[web, known]]),
      files: new Map(here === undefined ? [] : [[web, here]]),
      started: new Map(started === undefined ? [] : [[web, started]]),
    });
    assert.deepEqual(found.able, isBack ? [web] : []);
    const isUnable = known.isLaunched && started === undefined && !isBack;
    assert.deepEqual(found.unable, isUnable ? [web] : []);
  });

let host: MemoryHost;
beforeEach(async () => {
  host = await MemoryHost.start();
});
afterEach(async () => {
  await host.close();
});

/** The power fails, and while the host boots nobody answers. */
const rebootCutOff = async () => {
  host.store.cut();
  await host.reboot(0);
};

/** What was done to units in the time after the store is back. */
const untilContact = async (): Promise<string[]> => {
  host.actions.length = 0;
  host.store.heal();
  await host.until(() => host.agent.isReady(), 'registered');
  await host.clock.advance(5_000);
  return host.actions;
};

test('units come back after agent_ttl without a store, all in one call, and its return changes none of them', async () => {
  await host.schedule(web);
  await host.schedule(db);
  await host.putGlobal(service('logs'), `${sleeper}[X-Fleet]\nGlobal=true\n`);
  for (const name of [web, db, service('logs')]) await host.untilRow(name, 'active');
  await rebootCutOff();
  host.actions.length = 0;
  await host.clock.advance(ttlMs - 100);
  assert.deepEqual(host.actions, []);
  await host.clock.advance(200);
  const names = [db, service('logs'), web];
  const calls = [...names.map((name) => `load ${name}`), ...names.map((name) => `start ${name}`)];
  assert.deepEqual(host.actions, calls);
  assert.deepEqual(await untilContact(), []);
  for (const name of names) {
    await host.untilRow(name, 'active');
    assert.equal((await host.findRow(name))?.isLaunched, true);
  }
});

test('one that ran to its end does not run again when the store is back, but by a newer order', async () => {
  const record = await host.schedule(web, oneshot);
  await host.until(async () => (await host.findRow(web))?.isLaunched === true, 'run');
  await rebootCutOff();
  await host.clock.advance(ttlMs + 100);
  assert.equal(host.actions.at(-1), `start ${web}`);
  assert.deepEqual(await untilContact(), []);
  await host.reschedule(web, { ...record, order: 2 });
  await host.until(() => host.actions.includes(`start ${web}`), 'run again');
});

test('one that was ordered again while the host was away is started by that order once', async () => {
  const record = await host.schedule(web);
  await host.untilRow(web, 'active');
  await rebootCutOff();
  await host.clock.advance(ttlMs + 100);
  await host.reschedule(web, { ...record, order: 2 });
  assert.deepEqual(await untilContact(), [`restart ${web}`]);
});

test('what an older version noted comes back once, and is adopted', async () => {
  await host.schedule(web);
  await host.untilRow(web, 'active');
  await host.schedule(db, oneshot);
  await host.until(async () => (await host.findRow(db))?.isLaunched === true, 'run');
  await host.agent.close();
  const path = join(host.stateDirectory, 'assignment.json');
  const text = await readFile(path, 'utf8');
  assert.match(text, /"order":1/);
  await writeFile(path, text.replaceAll(',"order":1', ''));
  host.actions.length = 0;
  await rebootCutOff();
  await host.clock.advance(ttlMs + 1_000);
  assert.deepEqual(host.actions, [`load ${db}`, `load ${web}`, `start ${db}`, `start ${web}`]);
  assert.equal(await host.active(web), 'active');
  const done = await untilContact();
  assert.equal(
    done.some((action) => action.endsWith(web)),
    false,
  );
  await host.untilRow(web, 'active');
});

test('once the store has been there, nothing is done without it any more', async () => {
  await host.schedule(web);
  await host.untilRow(web, 'active');
  await rebootCutOff();
  await host.clock.advance(ttlMs + 100);
  assert.equal(await host.active(web), 'active');
  await untilContact();
  const record = await host.schedule(db, sleeper, { desiredState: 'loaded' });
  await host.untilRow(db, 'inactive');
  host.unitManager.refuse(db, 'not today');
  await host.reschedule(db, { ...record, desiredState: 'launched' });
  await host.until(async () => (await host.findRow(db))?.error === 'not today', 'told');
  host.store.cut();
  await host.until(() => !host.agent.isReady(), 'out of contact');
  host.unitManager.refuse(db, undefined);
  host.actions.length = 0;
  await host.clock.advance(5 * ttlMs);
  assert.deepEqual(host.actions, []);
});

test('what went elsewhere meanwhile is stopped when the store is back', async () => {
  await host.schedule(web);
  await host.untilRow(web, 'active');
  await rebootCutOff();
  await host.write(
    { kind: 'put', key: keys.placement(web), value: encodeRecord({ machine: 'f'.repeat(32) }) },
    { kind: 'delete', from: keys.schedule(machine.id, web) },
  );
  await host.clock.advance(ttlMs + 100);
  assert.equal(await host.active(web), 'active');
  await untilContact();
  await host.until(async () => (await host.active(web)) === 'inactive', 'stopped');
});

test('a restart of fleetd without a store changes nothing: what failed since stays so, what runs runs on', async () => {
  await host.schedule(web);
  await host.schedule(db);
  for (const name of [web, db]) await host.untilRow(name, 'active');
  host.unitManager.fail(web);
  await host.untilRow(web, 'failed');
  host.store.cut();
  await host.restartAgent();
  host.actions.length = 0;
  await host.clock.advance(3 * ttlMs);
  assert.deepEqual(host.actions, []);
  assert.deepEqual(await untilContact(), []);
});

test('a frozen machine brings nothing back', async () => {
  await host.schedule(web);
  await host.untilRow(web, 'active');
  await host.setUpCluster('two');
  await host.restartAgent();
  await host.until(() => host.agent.findFreezeReason() !== undefined, 'frozen');
  await host.agent.close();
  const path = join(host.stateDirectory, 'assignment.json');
  await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), frozen: 'went back' }));
  await rebootCutOff();
  host.actions.length = 0;
  await host.clock.advance(3 * ttlMs);
  assert.deepEqual(host.actions, []);
});

test('a machine whose ID is in use brings nothing back', async () => {
  await host.schedule(web);
  await host.untilRow(web, 'active');
  const { id: lease } = await host.engine.grantLease(600);
  const record: MachineRecord = { address: '', metadata: {}, version: '1', instance: 'two', boot: 'b' };
  await host.write({ kind: 'put', key: keys.machine(machine.id), value: encodeRecord(record), lease });
  await host.reboot(0);
  await host.clock.advance(1_000);
  host.actions.length = 0;
  assert.notEqual(host.agent.findHoldReason(), undefined);
  // Also if the store goes away then.
  host.store.cut();
  await host.clock.advance(3 * ttlMs);
  assert.deepEqual(host.actions, []);
});

test('a unit that must not run twice waits for the store', async () => {
  await host.schedule(web, `${sleeper}[X-Fleet]\nOnPartition=stop\n`);
  await host.untilRow(web, 'active');
  await rebootCutOff();
  host.actions.length = 0;
  await host.clock.advance(3 * ttlMs);
  assert.deepEqual(host.actions, []);
  await untilContact();
  await host.untilRow(web, 'active');
});

test('one bad unit holds up no other, and is tried again', async () => {
  await host.schedule(web);
  await host.schedule(db);
  for (const name of [web, db]) await host.untilRow(name, 'active');
  host.unitManager.refuse(db, 'not today');
  await rebootCutOff();
  await host.clock.advance(ttlMs + 100);
  assert.equal(await host.active(web), 'active');
  host.unitManager.refuse(db, undefined);
  await host.until(async () => (await host.active(db)) === 'active', 'tried again');
  assert.equal(host.actions.filter((action) => action === `start ${web}`).length, 2);
});

test('a file that can not be read holds up no other unit, and is looked at ever more rarely', async () => {
  for (const name of [web, db]) await host.schedule(name);
  for (const name of [web, db]) await host.untilRow(name, 'active');
  const readFiles = host.unitManager.readFiles.bind(host.unitManager);
  let reads = 0;
  host.unitManager.readFiles = (names) => {
    if (names.includes(web)) reads++;
    return readFiles(names.filter((name) => name !== web));
  };
  await rebootCutOff();
  await host.clock.advance(ttlMs + 60_000);
  assert.deepEqual([await host.active(db), await host.active(web)], ['active', 'inactive']);
  assert.ok(reads > 2 && reads < 40, `${reads} reads`);
});

test('what was stopped for a power-off without a store is brought back; what left its cluster has nothing to bring', async () => {
  await host.schedule(web);
  await host.untilRow(web, 'active');
  host.store.cut();
  await host.leave();
  assert.equal(await host.active(web), 'inactive');
  await host.reboot(0);
  await host.clock.advance(ttlMs + 100);
  assert.equal(await host.active(web), 'active');
  await untilContact();
  await host.leave();
  await rebootCutOff();
  host.actions.length = 0;
  await host.clock.advance(3 * ttlMs);
  assert.deepEqual(host.actions, []);
});
