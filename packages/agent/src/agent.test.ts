import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { decodeRecord, keys, type MachineRecord, type ScheduleRecord } from '@flotilla/registry';
import { parseUnitName } from '@flotilla/unit';
import { MemoryHost, machine, service, sleeper } from './memory-host.js';

let host: MemoryHost;
beforeEach(async () => {
  host = await MemoryHost.start();
});
afterEach(async () => {
  await host.close();
});

const [web, db] = [service('web'), service('db')];

test('a scheduled unit is loaded, started and reported', async () => {
  const record = await host.schedule(web);
  await host.untilRow(web, 'active');
  const row = await host.findRow(web);
  assert.deepEqual(
    { hash: row?.hash, uid: row?.uid, order: row?.order, isLaunched: row?.isLaunched },
    { hash: record.hash, uid: record.uid, order: 1, isLaunched: true },
  );
  assert.equal(await host.active(web), 'active');
});

test('a unit that is to be loaded only is not started, and is stopped when it was', async () => {
  const record = await host.schedule(web, sleeper, { desiredState: 'loaded' });
  await host.untilRow(web, 'inactive');
  assert.equal((await host.findRow(web))?.isLaunched, false);
  await host.reschedule(web, { ...record, desiredState: 'launched' });
  await host.untilRow(web, 'active');
  await host.reschedule(web, record);
  await host.untilRow(web, 'inactive');
  await host.until(async () => (await host.findRow(web))?.isLaunched === false, 'no longer launched');
});

test('a unit that failed is reported and left alone, until a new order', async () => {
  const record = await host.schedule(web);
  await host.untilRow(web, 'active');
  host.unitManager.fail(web);
  await host.untilRow(web, 'failed');
  await host.clock.advance(700_000);
  await host.restartAgent();
  await host.until(() => host.agent.isReady(), 'ready');
  await host.clock.advance(5000);
  assert.equal(await host.active(web), 'failed');
  await host.reschedule(web, { ...record, order: 2 });
  await host.untilRow(web, 'active');
  assert.equal((await host.findRow(web))?.order, 2);
});

test('changed content replaces a running unit', async () => {
  const record = await host.schedule(web);
  await host.untilRow(web, 'active');
  const { file, hash } = await host.putFile('[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n');
  await host.reschedule(web, { ...record, file, hash });
  await host.until(async () => (await host.findRow(web))?.sub === 'exited', 'replaced');
  assert.equal((await host.findRow(web))?.hash, hash);
});

test('a changed comment reaches the host and leaves the unit running', async () => {
  const record = await host.schedule(web);
  await host.untilRow(web, 'active');
  const since = (await host.findRow(web))?.since;
  const { file, hash } = await host.putFile(`# a comment\n${sleeper}`);
  assert.equal(hash, record.hash);
  await host.reschedule(web, { ...record, file });
  await host.until(async () => (await host.unitManager.listFiles()).get(web)?.sha256 === file, 'written');
  await host.clock.advance(1000);
  assert.equal((await host.findRow(web))?.since, since);
});

test('a unit that leaves is stopped and unloaded, and one row deletion says so', async () => {
  const record = await host.schedule(web);
  await host.untilRow(web, 'active');
  await host.reschedule(web, { ...record, isLeaving: true });
  await host.until(() => host.deletedRows.length > 0, 'acknowledged');
  assert.equal(await host.active(web), 'inactive');
  assert.equal((await host.unitManager.listFiles()).has(web), false);
  await host.clock.advance(60_000);
  assert.deepEqual(host.deletedRows, [keys.state(web, machine.id)]);
});

test('each order to leave is answered once, also for a unit that was never here', async () => {
  const record = await host.schedule(web, sleeper, { isLeaving: true });
  await host.until(() => host.deletedRows.length === 1, 'acknowledged');
  await host.reschedule(web, record);
  await host.until(() => host.deletedRows.length === 2, 'acknowledged again');
  await host.clock.advance(60_000);
  assert.equal(host.deletedRows.length, 2);
});

test('a slow stop holds up nobody else', async () => {
  const slow = '[Service]\nExecStart=/bin/sleep infinity\nExecStop=/bin/sleep 60\n';
  const record = await host.schedule(web, slow);
  await host.untilRow(web, 'active');
  await host.reschedule(web, { ...record, isLeaving: true });
  await host.untilRow(web, 'deactivating');
  await host.schedule(db);
  await host.untilRow(db, 'active');
  assert.deepEqual(host.deletedRows, []);
  await host.clock.advance(60_000);
  await host.until(() => host.deletedRows.length === 1, 'acknowledged');
});

test('a bad unit is told with its error; the others run', async () => {
  const bad = await host.schedule(web, '[Service]\nType=simple\n');
  await host.schedule(db);
  await host.untilRow(db, 'active');
  await host.until(async () => (await host.findRow(web))?.error !== undefined, 'told');
  assert.match((await host.findRow(web))?.error ?? '', /bad unit file setting/);
  const { file, hash } = await host.putFile(sleeper);
  await host.reschedule(web, { ...bad, file, hash });
  await host.untilRow(web, 'active');
  assert.equal((await host.findRow(web))?.error, undefined);
});

test('a refused unit is tried again ever more rarely', async () => {
  host.unitManager.refuse(web, 'not today');
  await host.schedule(web);
  await host.until(async () => (await host.findRow(web))?.error === 'not today', 'told');
  await host.clock.advance(600_000);
  const { calls } = host.unitManager;
  await host.clock.advance(600_000);
  assert.ok(host.unitManager.calls - calls < 20, `${host.unitManager.calls - calls} calls in 10 minutes`);
  host.unitManager.refuse(web, undefined);
  await host.clock.advance(400_000);
  await host.untilRow(web, 'active');
});

test('a unit that systemd never loads is told with its error, and tried again ever more rarely', async () => {
  const scope = parseUnitName('made-by-programs.scope');
  await host.schedule(scope, '[Unit]\nDescription=a scope\n', { desiredState: 'loaded' });
  await host.until(async () => (await host.findRow(scope))?.error !== undefined, 'told');
  await host.clock.advance(600_000);
  host.actions.length = 0;
  await host.clock.advance(1_200_000);
  assert.ok(host.actions.length <= 5, `${host.actions.length} calls in 20 minutes`);
});

test("a unit of the host's own is left alone, before and after the cluster has one of its name", async () => {
  host.unitManager.addHostUnit({ name: web, content: new TextEncoder().encode(sleeper) });
  const record = await host.schedule(web, '[Service]\nExecStart=/bin/true\n');
  await host.until(async () => (await host.findRow(web))?.error !== undefined, 'told');
  assert.match((await host.findRow(web))?.error ?? '', /\/etc\/systemd\/system\/web\.service/);
  assert.equal((await host.findRow(web))?.isLaunched, false);
  await host.clock.advance(600_000);
  await host.reschedule(web, { ...record, isLeaving: true });
  await host.until(() => host.deletedRows.length === 1, 'acknowledged');
  assert.equal(await host.active(web), 'active');
  assert.deepEqual(new Set(host.actions), new Set([`load ${web}`]));
});

test('an order is carried out once, also when there is no room to note it', async () => {
  const record = await host.schedule(web);
  await host.untilRow(web, 'active');
  await rm(host.startedDirectory, { recursive: true });
  await writeFile(host.startedDirectory, 'in the way');
  host.actions.length = 0;
  await host.reschedule(web, { ...record, order: 2 });
  await host.until(async () => (await host.findRow(web))?.order === 2, 'restarted');
  await host.clock.advance(60_000);
  assert.deepEqual(host.actions, [`restart ${web}`]);
  assert.equal(host.lines.filter((line) => line.startsWith('what was started could not be noted')).length, 1);
  await rm(host.startedDirectory);
});

test('a unit that was made anew and can not be restarted is not launched', async () => {
  const record = await host.schedule(web);
  await host.untilRow(web, 'active');
  host.unitManager.refuse(web, 'not today');
  await host.reschedule(web, { ...record, uid: 9 });
  await host.until(async () => (await host.findRow(web))?.error === 'not today', 'told');
  const row = await host.findRow(web);
  assert.deepEqual([row?.uid, row?.isLaunched, row?.order], [9, false, 0]);
});

test('a missing file in the store is an error of its unit', async () => {
  const { hash } = await host.putFile(sleeper);
  const record: ScheduleRecord = {
    hash,
    file: '00',
    desiredState: 'launched',
    order: 1,
    uid: 3,
    isLeaving: false,
  };
  await host.reschedule(web, record);
  await host.schedule(db);
  await host.untilRow(db, 'active');
  await host.until(async () => (await host.findRow(web))?.error !== undefined, 'told');
});

test('a file that a stranger put there is left alone, until the cluster wants the name', async () => {
  host.unitManager.dropFile({ name: web, content: new TextEncoder().encode('[Service]\nExecStart=/bin/true\n') });
  await host.schedule(db);
  await host.untilRow(db, 'active');
  await host.clock.advance(60_000);
  assert.equal((await host.unitManager.listFiles()).has(web), true);
  assert.equal(await host.findRow(web), undefined);
  await host.schedule(web);
  await host.untilRow(web, 'active');
});

test('after a reboot everything that was launched is started again', async () => {
  await host.schedule(web);
  await host.untilRow(web, 'active');
  await host.reboot();
  await host.until(async () => (await host.active(web)) === 'active', 'started again');
});

test('a hundred units cost a handful of calls, and nothing once they run', async () => {
  const names = Array.from({ length: 100 }, (_, index) => service(`u${index}`));
  const before = host.unitManager.calls;
  const { file, hash } = await host.putFile(sleeper);
  const record = { hash, file, desiredState: 'launched', order: 1, uid: 5, isLeaving: false } as const;
  for (const name of names) await host.reschedule(name, record);
  await host.until(async () => (await host.findRow(names[99] ?? web))?.active === 'active', 'started');
  await host.until(async () => (await host.findRow(names[0] ?? web))?.active === 'active', 'started');
  assert.ok(host.unitManager.calls - before < 40, `${host.unitManager.calls - before} calls`);
  await host.clock.advance(1000);
  const { calls } = host.unitManager;
  const { revision } = host.store;
  await host.clock.advance(300_000);
  assert.equal(host.unitManager.calls, calls);
  assert.equal(host.store.revision, revision);
});

test('a thousand units that run cost no write in an hour, and a listing an audit; one that changes costs one row', async () => {
  const names = Array.from({ length: 1000 }, (_, index) => service(`u${index}`));
  const { file, hash } = await host.putFile(sleeper);
  const record = { hash, file, desiredState: 'launched', order: 1, uid: 5, isLeaving: false } as const;
  for (const name of names) await host.reschedule(name, record);
  const rows = () => Promise.all(names.map((name) => host.findRow(name)));
  await host.until(async () => (await rows()).every((row) => row?.active === 'active'), 'started');
  await host.clock.advance(1000);
  const { calls } = host.unitManager;
  const { revision } = host.store;
  await host.clock.advance(3_600_000);
  assert.equal(host.store.revision, revision);
  // Every 8 to 12 minutes.
  assert.ok(host.unitManager.calls - calls <= 7, `${host.unitManager.calls - calls} calls`);
  const before = host.unitManager.calls;
  host.unitManager.fail(service('u500'));
  await host.untilRow(service('u500'), 'failed');
  await host.clock.advance(1000);
  assert.equal(host.store.revision, revision + 1);
  assert.ok(host.unitManager.calls - before <= 2, `${host.unitManager.calls - before} calls`);
});

test('a machine that can not read which store is its own stops nothing, and says so', async () => {
  await host.schedule(web);
  await host.untilRow(web, 'active');
  await host.agent.close();
  const path = join(host.stateDirectory, 'assignment.json');
  await writeFile(path, '{"units":{"web.service":null}}');
  host.actions.length = 0;
  await host.write({ kind: 'delete', from: keys.schedule(machine.id, web) }, { kind: 'delete', from: keys.unit(web) });
  await host.restartAgent();
  await host.schedule(db);
  await host.clock.advance(60_000);
  await host.write({ kind: 'delete', from: keys.cluster });
  await host.restartAgent();
  await host.clock.advance(60_000);
  assert.equal((await host.engine.range({ from: keys.cluster })).kvs.length, 0, 'founds no cluster');
  assert.equal(host.agent.findFreezeReason(), `${path} is damaged`);
  assert.deepEqual(host.actions, []);
});

test('a frozen machine says so in its record', async () => {
  await host.schedule(web);
  await host.untilRow(web, 'active');
  await host.write({ kind: 'put', key: keys.cluster, value: new TextEncoder().encode('{"uuid":"two","schema":1}') });
  await host.restartAgent();
  const read = async () => {
    const kv = (await host.engine.range({ from: keys.machine(machine.id) })).kvs[0];
    return kv === undefined ? undefined : decodeRecord<MachineRecord>(kv.key, kv.value).frozen;
  };
  await host.until(async () => (await read()) !== undefined, 'frozen');
  assert.match((await read()) ?? '', /cluster two/);
  assert.equal(await host.active(web), 'active');
});

test('more units than a pass takes on are all started, in few calls', async () => {
  const names = Array.from({ length: 1200 }, (_, index) => parseUnitName(`many-${index}.service`)).sort();
  const before = host.unitManager.calls;
  for (const name of names) await host.schedule(name);
  await host.until(async () => (await host.active(names.at(-1) ?? web)) === 'active', 'the last one runs');
  const units = await host.unitManager.listUnits(names);
  for (const name of names) assert.equal(units.get(name)?.active, 'active', name);
  // Two helpings of a few calls each.
  assert.ok(host.unitManager.calls - before < 40, `${host.unitManager.calls - before} calls`);
});
