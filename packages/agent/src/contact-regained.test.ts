import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { encodeRecord, keys } from '@flotilla/registry';
import { MemoryHost, machine, service } from './memory-host.js';

let host: MemoryHost;
beforeEach(async () => {
  host = await MemoryHost.start();
});
afterEach(async () => {
  await host.close();
});

const [web, db] = [service('web'), service('db')];

/** By then all is as it should be after contact is back, whatever the outage: two seconds, a fifth of it, and a pass. */
const soonMs = 2_600;

const bothRun = () => host.run(web, db);

const row = async (name = web) => (await host.findRow(name))?.active;

test('after a long outage the machine is there again soon, and says what has become of its units', async () => {
  await bothRun();
  // Of several lengths, so that no attempt to register is due just then by chance.
  for (const outageMs of [600_000, 607_000, 613_000, 621_000]) {
    host.store.cut();
    await host.clock.advance(outageMs);
    assert.equal(await row(), undefined, 'its rows have gone with its lease');
    host.unitManager.fail(web);
    host.store.heal();
    await host.clock.advance(soonMs);
    assert.ok(host.agent.isReady());
    assert.deepEqual([await row(web), await row(db)], ['failed', 'active']);
  }
  assert.deepEqual(host.actions, []);
});

test('after an outage that was too short to count as lost, too', async () => {
  await bothRun();
  await host.clock.advance(10_000);
  host.store.cut();
  await host.clock.advance(1_000);
  host.unitManager.fail(web);
  await host.clock.advance(20_000);
  host.store.heal();
  await host.clock.advance(soonMs);
  assert.deepEqual([await row(web), await row(db)], ['failed', 'active']);
  assert.deepEqual(host.actions, []);
});

test('what a machine was told before it counted as lost is no order afterwards: it reads what holds now', async () => {
  await bothRun();
  const record = await host.schedule(web);
  // The order to stop comes, but before it is carried out, contact is lost.
  host.beforeNextCall = () => {
    host.store.cut();
    host.store.stickWatches();
    host.clock.freeze(60_000);
  };
  await host.reschedule(web, { ...record, isLeaving: true });
  await host.clock.advance(60_000);
  assert.equal(host.beforeNextCall, undefined, 'time has passed within a pass');
  await host.reschedule(web, record);
  // Its watch tells nothing yet, and still it is a machine again.
  host.store.heal();
  await host.until(() => host.agent.isReady(), 'registered again');
  await host.clock.advance(5_000);
  host.store.freeWatches();
  await host.clock.advance(60_000);
  assert.deepEqual(host.actions, []);
});

test('a store that is back at an older state gets the rows that it lacks, although the lease is the same', async () => {
  await host.schedule(web);
  const revision = host.engine.revision;
  await host.untilRow(web, 'active');
  await host.schedule(db);
  await host.untilRow(db, 'active');
  host.store.restore(revision);
  await host.until(() => host.agent.findFreezeReason() !== undefined, 'frozen');
  assert.equal(await row(), undefined, 'there was no row then');
  await host.write({ kind: 'put', key: keys.unfreeze(machine.id), value: encodeRecord({ how: 'adopt' }) });
  await host.until(() => host.agent.findFreezeReason() === undefined, 'no longer frozen');
  await host.untilRow(web, 'active');
});

test('a frozen machine writes no rows', async () => {
  await bothRun();
  host.store.swap();
  await host.setUpCluster('another');
  await host.until(() => host.agent.findFreezeReason() !== undefined, 'frozen');
  host.unitManager.fail(web);
  await host.clock.advance(60_000);
  assert.deepEqual([await row(web), await row(db)], [undefined, undefined]);
});

test('a machine whose lease has ended behind its back, and its record and rows with it, is there again at once', async () => {
  await bothRun();
  const [record] = (await host.engine.range({ from: keys.machine(machine.id) })).kvs;
  assert.ok(record?.lease !== undefined);
  await host.engine.revokeLease(record.lease);
  assert.equal(await row(), undefined);
  await host.clock.advance(1_000);
  assert.deepEqual([await row(web), await row(db)], ['active', 'active']);
  assert.deepEqual(host.actions, []);
});
