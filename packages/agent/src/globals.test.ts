import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { keys } from '@flotilla/registry';
import { parseUnitName, type UnitName } from '@flotilla/unit';
import { MemoryHost, machine, service, sleeper } from './memory-host.js';

let host: MemoryHost;
beforeEach(async () => {
  host = await MemoryHost.start();
});
afterEach(async () => {
  await host.close();
});

const [web, logs, db] = [service('web'), service('logs'), service('db')];
/** Takes 15 seconds to stop. */
const slow = `${sleeper}ExecStop=/bin/sleep 15\n`;
const global = (text: string, ...options: readonly string[]) =>
  `${text}[X-Fleet]\nGlobal=true\n${options.join('\n')}\n`;
/** Made before every global unit of a test. */
const earlier = { uid: 1 };

async function untilStopped(name: UnitName) {
  await host.until(async () => (await host.active(name)) === 'inactive', `${name} stopped`);
}

/** Lets time pass until `one` runs; until then `other` may run, and from then on it must not. */
async function untilTakenOver(one: UnitName, other: UnitName) {
  await host.until(async () => {
    const [isUp, isOtherUp] = [(await host.active(one)) === 'active', (await host.active(other)) !== 'inactive'];
    assert.ok(!isUp || !isOtherUp, `${one} and ${other} ran together`);
    return isUp;
  }, `${one} runs`);
}

test('a global unit gives way to a unit that was made earlier, which starts as soon as it has stopped', async () => {
  await host.putGlobal(logs, global(slow, 'Conflicts=web.service'));
  await host.untilRow(logs, 'active');
  host.actions.length = 0;
  await host.schedule(web, sleeper, earlier);
  await host.untilRow(logs, 'deactivating');
  await host.clock.advance(10_000);
  assert.deepEqual(host.actions, [`stop ${logs}`], 'it is told once, and nothing is tried meanwhile');
  assert.deepEqual(
    [(await host.findRow(web))?.active, (await host.findRow(web))?.error, (await host.findRow(web))?.isLaunched],
    ['inactive', undefined, false],
  );
  await untilTakenOver(web, logs);
  await host.until(async () => (await host.findRow(logs)) === undefined, 'no longer reported');
  assert.equal((await host.unitManager.listFiles()).has(logs), false);
});

test('a global unit keeps a machine to itself against a unit that was made later', async () => {
  await host.putGlobal(logs, global(sleeper, 'Conflicts=web.service'));
  await host.untilRow(logs, 'active');
  await host.schedule(web);
  await host.untilRow(web, 'active');
  assert.equal(await host.active(logs), 'active', 'who else may be here is for the leader to decide');
});

test('a global unit starts as soon as the unit that kept it off has stopped', async () => {
  const record = await host.schedule(web, `${slow}[X-Fleet]\nConflicts=logs.*\n`);
  await host.untilRow(web, 'active');
  await host.putGlobal(logs, global(sleeper));
  await host.putGlobal(db, global(sleeper));
  await host.untilRow(db, 'active');
  assert.equal(await host.findRow(logs), undefined);
  await host.reschedule(web, { ...record, isLeaving: true });
  await untilTakenOver(logs, web);
  await host.until(() => host.deletedRows.length === 1, 'acknowledged');
});

test('a unit whose record and file are gone from the store is waited for as any other', async () => {
  const { file } = await host.schedule(web, `${slow}[X-Fleet]\nConflicts=logs.*\n`);
  await host.untilRow(web, 'active');
  await host.restartAgent();
  await host.putGlobal(logs, global(sleeper));
  await host.write(
    ...[keys.unitFile(file), keys.unit(web), keys.placement(web), keys.schedule(machine.id, web)].map(
      (from) => ({ kind: 'delete', from }) as const,
    ),
  );
  await untilTakenOver(logs, web);
});

test('a unit that the store has no order for, and still places here, is in the way for as long as that is so', async () => {
  const record = await host.schedule(web);
  await host.untilRow(web, 'active');
  await host.putGlobal(logs, global(sleeper, 'Conflicts=web.service'));
  host.store.cut();
  await host.write({ kind: 'delete', from: keys.schedule(machine.id, web) });
  await host.engine.compact(host.engine.revision);
  host.store.heal();
  await host.clock.advance(60_000);
  assert.equal(await host.active(web), 'active');
  assert.equal(await host.active(logs), 'inactive');
  await host.reschedule(web, { ...record, isLeaving: true });
  await untilTakenOver(logs, web);
});

test('of two global units that conflict the one made first runs, until it is not wanted', async () => {
  await host.putGlobal(web, global(slow));
  await host.putGlobal(db, global(sleeper, 'Conflicts=web.service'));
  await host.untilRow(web, 'active');
  await host.clock.advance(1000);
  assert.equal(await host.active(db), 'inactive');
  await host.putGlobal(web, global(slow), { desiredState: 'inactive' });
  await untilTakenOver(db, web);
});

test('inactive global units, global templates and inactive orders keep nobody off', async () => {
  const all = global(sleeper, 'Conflicts=*');
  await host.putGlobal(db, all, { desiredState: 'inactive' });
  await host.putGlobal(parseUnitName('all@.service'), all);
  await host.schedule(web, `${sleeper}[X-Fleet]\nConflicts=*\n`, { desiredState: 'inactive' });
  await host.putGlobal(logs, global(sleeper));
  await host.untilRow(logs, 'active');
  assert.equal(await host.active(db), 'inactive');
});

test('what is set of the machine’s metadata starts and stops global units at once', async () => {
  await host.putGlobal(web, global(sleeper, 'MachineMetadata=role=web'));
  await host.putGlobal(db, global(sleeper, 'MachineMetadata=role=db'));
  await host.untilRow(web, 'active');
  await host.setMetadata('role', 'db');
  await host.untilRow(db, 'active');
  await untilStopped(web);
  await host.setMetadata('role', '');
  await untilStopped(db);
  assert.equal(await host.active(web), 'inactive');
  await host.setMetadata('role', undefined);
  await host.untilRow(web, 'active');
  await host.setMetadata('rack', '7');
  await host.clock.advance(1000);
  assert.equal(await host.active(web), 'active');
});

test('metadata that changed while the store was away counts when it is back, and not before', async () => {
  await host.setMetadata('role', 'db');
  await host.putGlobal(db, global(sleeper, 'MachineMetadata=role=db'));
  await host.untilRow(db, 'active');
  host.actions.length = 0;
  host.store.cut();
  await host.clock.advance(3_600_000);
  await host.restartAgent();
  await host.setMetadata('role', undefined);
  await host.clock.advance(60_000);
  await host.engine.compact(host.engine.revision);
  assert.deepEqual(host.actions, []);
  host.store.heal();
  await untilStopped(db);
});

test('metadata that goes with everything else in the store stops nothing', async () => {
  await host.setMetadata('role', 'db');
  await host.putGlobal(db, global(sleeper, 'MachineMetadata=role=db'));
  await host.untilRow(db, 'active');
  host.actions.length = 0;
  await host.write({ kind: 'delete', from: keys.cluster }, { kind: 'delete', from: keys.metadata(machine.id, 'role') });
  await host.until(() => host.agent.findFreezeReason() !== undefined, 'frozen');
  await host.clock.advance(60_000);
  assert.deepEqual(host.actions, []);
});

/** A hundred units that ask nothing, each with a file of its own. */
async function scheduleMany(prefix: string) {
  const names = Array.from({ length: 100 }, (_, index) => service(`${prefix}${index}`));
  for (const name of names) await host.schedule(name, `[Unit]\nDescription=${name}\n${sleeper}`);
  await host.until(async () => {
    const units = await host.unitManager.listUnits(names);
    return names.every((name) => units.get(name)?.active === 'active');
  }, 'all run');
  await host.clock.advance(1000);
}

test('each file is read once from the store, whoever asks, and none when fleetd starts again', async () => {
  await host.putGlobal(db, global(sleeper, 'MachineMetadata=role=db'));
  await scheduleMany('a');
  assert.equal(host.store.filesRead.length, 101, 'no global unit runs here');
  await host.putGlobal(logs, global(sleeper));
  await host.untilRow(logs, 'active');
  assert.equal(host.store.filesRead.length, 102, 'what units here ask is read from the disk');
  await scheduleMany('b');
  assert.equal(host.store.filesRead.length, 202, 'a file that was read to decide is not read again to be loaded');
  await host.restartAgent();
  await host.setMetadata('rack', '7');
  await host.clock.advance(60_000);
  assert.deepEqual(host.store.filesRead.slice(202), [host.store.filesRead[0]], 'but for the unit that is not here');
  const { revision } = host.store;
  const { calls } = host.unitManager;
  await host.clock.advance(300_000);
  assert.deepEqual([host.store.revision, host.unitManager.calls, host.store.filesRead.length], [revision, calls, 203]);
});
