import assert from 'node:assert/strict';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { MemoryHost, service, sleeper } from './memory-host.js';

let host: MemoryHost;
beforeEach(async () => {
  host = await MemoryHost.start();
});
afterEach(async () => {
  await host.close();
});

const [web, db] = [service('web'), service('db')];
const strange = new TextEncoder().encode('[Service]\nExecStart=/bin/sleep 77\n');

const fileIs = (sha256: string) => async () => (await host.unitManager.listFiles()).get(web)?.sha256 === sha256;
const untilError = (name: typeof web, error: RegExp) =>
  host.until(async () => error.test((await host.findRow(name))?.error ?? ''), `${name} reported ${error}`);

test('a file that was edited here is put right, and its unit neither stopped nor started', async () => {
  const { file } = await host.schedule(web);
  await host.untilRow(web, 'active');
  host.actions.length = 0;
  host.unitManager.dropFile({ name: web, content: strange });
  await host.until(fileIs(file), 'put right');
  assert.deepEqual(host.actions, ['load web.service']);
  assert.ok(host.lines.some((line) => line.includes('edited on this host')));
});

test('a replacement is not lost although the file became the new one by an edit, nor by a restart half way', async () => {
  const record = await host.schedule(web);
  await host.untilRow(web, 'active');
  const next = await host.putFile('[Service]\nExecStart=/bin/sleep 77\n');
  host.unitManager.dropFile({ name: web, content: strange });
  host.actions.length = 0;
  await host.reschedule(web, { ...record, ...next });
  host.beforeNextCall = () => void host.restartAgent();
  await host.until(() => host.actions.includes('start web.service'), 'started anew');
  assert.deepEqual(
    host.actions.filter((action) => !action.startsWith('load')),
    ['stop web.service', 'start web.service'],
  );
});

test('what this machine can not note is not brought here; the rest goes on, and it heals', async () => {
  const record = await host.schedule(web);
  await host.untilRow(web, 'active');
  const obstacle = join(host.stateDirectory, 'assignment.json.new');
  await mkdir(obstacle);
  await host.schedule(db);
  await untilError(db, /can't note that it is to run it: EISDIR/);
  await host.reschedule(web, { ...record, desiredState: 'loaded' });
  await host.untilRow(web, 'inactive');
  assert.equal(host.actions.includes('load db.service'), false);
  await rm(obstacle, { recursive: true });
  await host.untilRow(db, 'active');
  assert.equal((await host.findRow(db))?.error, undefined);
});

test('while the units directory can not be read, every row says so, and nothing is done or taken for gone', async () => {
  const record = await host.schedule(web);
  await host.schedule(db);
  await host.untilRow(web, 'active');
  await host.untilRow(db, 'active');
  host.actions.length = 0;
  host.unitManager.hideFiles('no such place');
  await host.reschedule(web, { ...record, isLeaving: true });
  for (const name of [web, db]) await untilError(name, /units directory can't be read: no such place/);
  assert.equal((await host.findRow(db))?.active, 'active');
  await host.clock.advance(60_000);
  assert.deepEqual([host.actions, host.deletedRows], [[], []]);
  host.unitManager.hideFiles(undefined);
  await host.until(() => host.deletedRows.length > 0, 'left');
  assert.equal((await host.findRow(db))?.error, undefined);
  assert.equal(await host.active(web), 'inactive');
});

test('a unit that is to be loaded only is stopped again where a stop came to nothing', async () => {
  const record = await host.schedule(web);
  await host.untilRow(web, 'active');
  host.unitManager.cling(web, true);
  await host.reschedule(web, { ...record, desiredState: 'loaded' });
  await untilError(web, /was told to stop it, and it runs again/);
  host.actions.length = 0;
  await host.clock.advance(60_000);
  assert.ok(host.actions.length <= 12, `${host.actions.length} stops in a minute`);
  host.unitManager.cling(web, false);
  await host.clock.advance(120_000);
  assert.equal(await host.active(web), 'inactive');
  assert.equal((await host.findRow(web))?.error, undefined);
  // What somebody else starts from then on is left alone.
  await host.unitManager.start([web]);
  host.actions.length = 0;
  await host.clock.advance(700_000);
  assert.deepEqual(host.actions, []);
});

test('a unit that runs again after each stop is stopped ever more rarely, and says so', async () => {
  const record = await host.schedule(web);
  await host.untilRow(web, 'active');
  host.actions.length = 0;
  host.unitManager.cling(web, true);
  await host.reschedule(web, { ...record, isLeaving: true });
  await untilError(web, /was told to stop it, and it runs again/);
  await host.clock.advance(60_000);
  const stops = host.actions.filter((action) => action === 'stop web.service').length;
  assert.ok(stops >= 3 && stops <= 12, `${stops} stops in a minute`);
  host.unitManager.cling(web, false);
  await host.clock.advance(120_000);
  await host.until(() => host.deletedRows.length > 0, 'left');
});

test('a stop that takes its time is waited for in peace, also if the stops before it came to nothing', async () => {
  const record = await host.schedule(web, `${sleeper}ExecStop=/bin/sleep 600\n`);
  await host.untilRow(web, 'active');
  host.unitManager.cling(web, true);
  await host.reschedule(web, { ...record, isLeaving: true });
  await untilError(web, /was told to stop it, and it runs again/);
  host.unitManager.cling(web, false);
  await host.untilRow(web, 'deactivating');
  await host.clock.advance(60_000);
  const before = host.unitManager.calls;
  await host.clock.advance(60_000);
  const calls = host.unitManager.calls - before;
  assert.ok(calls <= 2, `${calls} calls in a minute`);
  await host.clock.advance(600_000);
  await host.until(() => host.deletedRows.length > 0, 'left');
});

test('what failed for want of another unit is tried again when that comes', async () => {
  host.unitManager.refuse(web, 'Unit db.service not found.');
  await host.schedule(web);
  await untilError(web, /db\.service not found/);
  await host.clock.advance(120_000);
  const tries = () => host.actions.filter((action) => action === 'load web.service').length;
  const before = tries();
  host.unitManager.refuse(web, undefined);
  await host.schedule(db, sleeper);
  await host.untilRow(db, 'active');
  await host.clock.advance(1000);
  assert.equal(tries(), before + 1);
  assert.equal(await host.active(web), 'active');
});
