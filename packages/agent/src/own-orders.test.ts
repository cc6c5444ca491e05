import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { encodeRecord, keys, orderUnfreeze, type RestartRecord, ranges } from '@flotilla/registry';
import { MemoryHost, machine, service, sleeper } from './memory-host.js';

let host: MemoryHost;
beforeEach(async () => {
  host = await MemoryHost.start();
});
afterEach(async () => {
  await host.close();
});

const [all, web] = [service('all'), service('web')];
const global = `${sleeper}[X-Fleet]\nGlobal=true\n`;

async function uidOf(name: typeof all): Promise<number> {
  return (await host.engine.range({ from: keys.global(name) })).kvs[0]?.createRevision ?? 0;
}

async function order(record: Partial<RestartRecord>): Promise<void> {
  const restart: RestartRecord = { uid: await uidOf(all), order: 100, ...record };
  await host.write({ kind: 'put', key: keys.restart(machine.id, all), value: encodeRecord(restart) });
}

const untilSpent = () =>
  host.until(async () => (await host.engine.range(ranges.restartsOf(machine.id))).kvs.length === 0, 'order deleted');

async function runGlobal(text = global): Promise<void> {
  await host.putGlobal(all, text);
  await host.untilRow(all, 'active');
  host.actions.length = 0;
}

test('an order for this machine alone restarts a global unit once, and is gone when that is done', async () => {
  await runGlobal();
  await order({ order: 100 });
  await host.until(async () => (await host.findRow(all))?.order === 100, 'restarted');
  await untilSpent();
  await host.restartAgent();
  await host.clock.advance(700_000);
  assert.deepEqual(host.actions, [`restart ${all}`]);
  await host.putGlobal(all, global, { order: 101 });
  await host.until(async () => (await host.findRow(all))?.order === 101, 'restarted by a later order for all');
  assert.deepEqual(host.actions, [`restart ${all}`, `restart ${all}`]);
});

test('an order for this machine starts a global unit that has failed', async () => {
  await runGlobal();
  host.unitManager.fail(all);
  await host.untilRow(all, 'failed');
  await order({});
  await host.untilRow(all, 'active');
  await untilSpent();
  assert.deepEqual(host.actions, [`start ${all}`]);
});

test('a daemon that ends before it has carried the order out leaves it to the next one', async () => {
  await runGlobal();
  await host.agent.close();
  await order({});
  await host.restartAgent();
  await untilSpent();
  assert.deepEqual(host.actions, [`restart ${all}`]);
});

test('a restart that systemd refuses is told, is tried again, and its order stays until it is done', async () => {
  await runGlobal();
  host.unitManager.refuse(all, 'masked');
  await order({ order: 100 });
  await host.until(async () => (await host.findRow(all))?.error === 'masked', 'told');
  const row = await host.findRow(all);
  assert.deepEqual([row?.active, row?.order], ['active', 1], 'the old copy runs on');
  assert.equal((await host.engine.range(ranges.restartsOf(machine.id))).kvs.length, 1);
  host.unitManager.refuse(all, undefined);
  await host.until(async () => (await host.findRow(all))?.order === 100, 'restarted');
  await untilSpent();
  assert.equal((await host.findRow(all))?.error, undefined);
});

test('orders that nothing is to come of are taken away', async () => {
  await runGlobal();
  await order({ uid: 1_000_000 });
  await untilSpent();
  assert.deepEqual(host.actions, [], 'meant for another unit of that name');
  await host.putGlobal(all, global, { desiredState: 'loaded' });
  await host.untilRow(all, 'inactive');
  await host.unitManager.start([all]);
  await host.untilRow(all, 'active');
  host.actions.length = 0;
  await order({});
  await untilSpent();
  assert.deepEqual(host.actions, [], 'an order to start stops nothing');
  await host.write({ kind: 'delete', from: keys.unit(all) }, { kind: 'delete', from: keys.global(all) });
  await host.until(async () => (await host.findRow(all)) === undefined, 'gone');
  await order({});
  await untilSpent();
  assert.ok(!host.actions.some((action) => /^(re)?start/.test(action)), host.actions.join());
});

test('an order that comes while a pass has the unit as stopped is carried out', async () => {
  await runGlobal();
  await host.putGlobal(all, global, { desiredState: 'loaded' });
  await host.untilRow(all, 'inactive');
  const { unitManager } = host;
  const listUnits = unitManager.listUnits.bind(unitManager);
  unitManager.listUnits = async (names) => {
    unitManager.listUnits = listUnits;
    const statuses = await listUnits(names);
    await host.putGlobal(all, global, { order: 2 });
    await order({ order: 100 });
    // The watch tells the agent meanwhile.
    for (let turn = 0; turn < 20; turn++) await host.engine.range({ from: keys.unit(all) });
    return statuses;
  };
  await host.setMetadata('role', 'db');
  await host.untilRow(all, 'active');
  assert.equal((await host.findRow(all))?.order, 100);
  await untilSpent();
});

test('a row says that an order is carried out when the copy before it has stopped', async () => {
  await runGlobal(global.replace('[X-Fleet]', 'ExecStop=/bin/sleep 15\n[X-Fleet]'));
  await order({});
  await host.untilRow(all, 'deactivating');
  assert.equal((await host.findRow(all))?.order, 1);
  await host.untilRow(all, 'active');
  assert.equal((await host.findRow(all))?.order, 100);
});

test('a machine that leaves the cluster leaves no orders behind', async () => {
  await runGlobal();
  host.unitManager.refuse(all, 'masked');
  await order({});
  await host.until(async () => (await host.findRow(all))?.error === 'masked', 'told');
  host.unitManager.refuse(all, undefined);
  await host.leave();
  assert.deepEqual((await host.engine.range(ranges.restartsOf(machine.id))).kvs, []);
});

test('what was ordered while the machine was frozen counts as done when it is unfrozen', async () => {
  await runGlobal();
  await host.setUpCluster('another');
  await host.restartAgent();
  const isFrozen = () => host.agent.findFreezeReason() !== undefined;
  const hasHeld = async () => (await host.engine.range(ranges.heldOf(machine.id))).kvs.length === 1;
  await host.until(async () => isFrozen() && (await hasHeld()), 'frozen');
  await order({});
  await host.clock.advance(700_000);
  assert.equal(await orderUnfreeze(host.engine, machine.id, 'adopt'), 'ordered');
  await host.until(() => !isFrozen(), 'no longer frozen');
  await untilSpent();
  await host.clock.advance(700_000);
  assert.deepEqual(host.actions, []);
});

/** A unit that the cluster has loaded and not started, and that somebody has. */
async function runByHand() {
  const record = await host.schedule(web, sleeper, { desiredState: 'loaded' });
  await host.untilRow(web, 'inactive');
  await host.unitManager.start([web]);
  await host.untilRow(web, 'active');
  host.actions.length = 0;
  return record;
}

test('a unit that others started is stopped once for each order to stop it', async () => {
  const record = await runByHand();
  await host.clock.advance(700_000);
  assert.deepEqual(host.actions, [], 'without an order it is left alone');
  for (const order of [2, 3]) {
    await host.reschedule(web, { ...record, order });
    await host.untilRow(web, 'inactive');
    assert.deepEqual(host.actions, [`stop ${web}`]);
    await host.unitManager.start([web]);
    await host.untilRow(web, 'active');
    await host.restartAgent();
    await host.clock.advance(700_000);
    assert.deepEqual(host.actions, [`stop ${web}`, `start ${web}`], 'who starts it again is left alone');
    host.actions.length = 0;
  }
});

test('an order to stop a unit is kept in mind until it is carried out, and not longer', async () => {
  const record = await runByHand();
  await host.agent.close();
  await host.reschedule(web, { ...record, order: 2 });
  await host.restartAgent();
  await host.untilRow(web, 'inactive');
  assert.deepEqual(host.actions, [`stop ${web}`]);
  await host.reboot();
  await host.until(() => host.agent.isReady(), 'registered');
  await host.clock.advance(1_000);
  await host.unitManager.start([web]);
  await host.untilRow(web, 'active');
  await host.clock.advance(700_000);
  assert.equal(await host.active(web), 'active', 'what another unit started after a boot');
});

test('a stop that systemd refuses is owed by the next process, too', async () => {
  const record = await runByHand();
  host.unitManager.refuse(web, 'busy');
  await host.reschedule(web, { ...record, order: 2 });
  await host.until(async () => (await host.findRow(web))?.error === 'busy', 'told');
  await host.restartAgent();
  host.unitManager.refuse(web, undefined);
  await host.untilRow(web, 'inactive');
});

test('what runs when a machine first hears of a unit is left alone, whatever its order', async () => {
  await host.schedule(web, sleeper, { desiredState: 'loaded', order: 7 });
  await host.untilRow(web, 'inactive');
  await host.unitManager.start([web]);
  await host.untilRow(web, 'active');
  assert.deepEqual(
    host.actions.filter((action) => action.startsWith('stop')),
    [],
  );
});

test('an order to stop a unit that systemd refuses is kept in mind by the next process', async () => {
  const record = await runByHand();
  host.unitManager.refuse(web, 'busy');
  await host.reschedule(web, { ...record, order: 2 });
  await host.until(async () => (await host.findRow(web))?.error === 'busy', 'told');
  await host.agent.close();
  host.unitManager.refuse(web, undefined);
  await host.restartAgent();
  await host.untilRow(web, 'inactive');
});
