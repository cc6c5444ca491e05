import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { parseMachineId } from '@flotilla/cluster';
import {
  decodeRecord,
  encodeRecord,
  keys,
  type MachineRecord,
  orderUnfreeze,
  ranges,
  readStoreIdentity,
  type ScheduleRecord,
  type UnfreezeWord,
  type UnitRecord,
} from '@flotilla/registry';
import type { UnitName } from '@flotilla/unit';
import { MemoryHost, machine, service, sleeper } from './memory-host.js';

let host: MemoryHost;
beforeEach(async () => {
  host = await MemoryHost.start();
});
afterEach(async () => {
  await host.close();
});

const [web, db, job] = [service('web'), service('db'), service('job')];
const elsewhere = encodeRecord({ machine: parseMachineId('f'.repeat(32)) });
const oneshot = '[Service]\nType=oneshot\nExecStart=/bin/true\n';

/** Two services that run and a oneshot that has run. */
async function allStarted() {
  await host.schedule(web);
  await host.schedule(db, `# a comment\n${sleeper}`);
  await host.schedule(job, oneshot);
  await host.untilRow(web, 'active');
  await host.untilRow(db, 'active');
  await host.until(async () => (await host.findRow(job))?.isLaunched === true, 'the job has run');
  host.actions.length = 0;
}

async function record(): Promise<MachineRecord | undefined> {
  const [kv] = (await host.engine.range({ from: keys.machine(machine.id) })).kvs;
  return kv && decodeRecord<MachineRecord>(kv.key, kv.value);
}

/** Waits until the machine is frozen and has said what it has. */
const untilFrozen = () => host.until(async () => (await record())?.held !== undefined, 'frozen');

async function unfreeze(how: UnfreezeWord) {
  await untilFrozen();
  assert.equal(await orderUnfreeze(host.engine, machine.id, how), 'ordered');
  await host.until(async () => (await record())?.frozen === undefined, 'no longer frozen');
}

async function findUnit(name: UnitName): Promise<UnitRecord | undefined> {
  const [kv] = (await host.engine.range({ from: keys.unit(name) })).kvs;
  return kv && decodeRecord<UnitRecord>(kv.key, kv.value);
}

/** Places what says that it runs here, as the leader would. */
async function placeAll() {
  for (const kv of (await host.engine.range(ranges.units)).kvs) {
    const name = kv.key.slice('units/'.length) as UnitName;
    const { runsOn, hash, file, desiredState, order } = decodeRecord<UnitRecord>(kv.key, kv.value);
    if (runsOn !== machine.id) continue;
    const scheduled: ScheduleRecord = { hash, file, desiredState, order, uid: kv.createRevision, isLeaving: false };
    await host.write(
      { kind: 'put', key: keys.placement(name), value: encodeRecord({ machine: runsOn }) },
      { kind: 'put', key: keys.schedule(runsOn, name), value: encodeRecord(scheduled) },
    );
  }
}

const damage = () => writeFile(join(host.stateDirectory, 'assignment.json'), '{"cluster":1}');

const disasters: Readonly<Record<string, () => Promise<void>>> = {
  'was emptied': async () => host.store.wipe(),
  'is another one': async () => {
    host.store.swap();
    await host.setUpCluster('two');
  },
  'lost all its keys one by one': () => host.write({ kind: 'delete', from: '!', to: '~' }),
  'was emptied while the daemon was away': async () => {
    await host.agent.close();
    host.store.wipe();
    await host.restartAgent();
  },
  'was emptied, with a damaged assignment': async () => {
    await host.agent.close();
    await damage();
    host.store.wipe();
    await host.restartAgent();
  },
};

for (const [title, disaster] of Object.entries(disasters))
  test(`adopting gives a store that ${title} all units back, and touches none`, async () => {
    await allStarted();
    await disaster();
    await unfreeze('adopt');
    for (const name of [web, db, job]) {
      const unit = await findUnit(name);
      assert.deepEqual([unit?.desiredState, unit?.order, unit?.runsOn], ['launched', 1, machine.id], name);
      const [file] = (await host.engine.range({ from: keys.unitFile(unit?.file ?? '') })).kvs;
      assert.deepEqual(file?.value, (await host.unitManager.readFiles([name])).get(name));
    }
    await host.clock.advance(20_000);
    await placeAll();
    const { kvs } = await host.engine.range({ from: keys.unit(web) });
    await host.until(async () => (await host.findRow(web))?.uid === kvs[0]?.createRevision, 'told anew');
    await host.clock.advance(60_000);
    assert.deepEqual(host.actions, []);
    assert.equal((await host.findRow(job))?.isLaunched, true);
    assert.notEqual((await readStoreIdentity(host.engine)).cluster, undefined);
    // And the next order counts.
    const [scheduled] = (await host.engine.range({ from: keys.schedule(machine.id, job) })).kvs;
    assert.ok(scheduled);
    await host.reschedule(job, { ...decodeRecord<ScheduleRecord>(scheduled.key, scheduled.value), order: 2 });
    await host.until(async () => (await host.findRow(job))?.order === 2, 'started again');
    assert.deepEqual(host.actions, [`start ${job}`]);
  });

test('an emptied store gets a new identity, so that machines that were away freeze too', async () => {
  await allStarted();
  host.store.wipe();
  await unfreeze('adopt');
  const { cluster } = await readStoreIdentity(host.engine);
  assert.ok(cluster !== undefined && cluster.uuid !== 'one');
});

test('adopting after an older snapshot writes back what came since, and what the snapshot has counts', async () => {
  await host.schedule(web);
  await host.untilRow(web, 'active');
  const before = host.store.revision;
  await host.schedule(db);
  await host.untilRow(db, 'active');
  host.actions.length = 0;
  host.store.restore(before);
  await untilFrozen();
  // As the leader, which is another machine, has decided by now.
  await host.write({ kind: 'put', key: keys.placement(web), value: elsewhere });
  await host.write({ kind: 'delete', from: keys.schedule(machine.id, web) });
  await unfreeze('adopt');
  await placeAll();
  await host.until(async () => (await host.active(web)) === 'inactive', 'stopped');
  assert.equal((await findUnit(db))?.runsOn, machine.id);
  assert.equal((await findUnit(web))?.runsOn, undefined);
  await host.clock.advance(60_000);
  assert.deepEqual(host.actions, [`stop ${web}`, `unload ${web}`]);
});

test('an older snapshot that others have written to since is known by what it never had', async () => {
  await host.schedule(web);
  await host.untilRow(web, 'active');
  const before = host.store.revision;
  await host.schedule(db);
  await host.untilRow(db, 'active');
  host.actions.length = 0;
  await host.agent.close();
  host.store.restore(before);
  for (let count = 0; count < 100; count++)
    await host.write({ kind: 'put', key: keys.reason(web), value: new Uint8Array() });
  const [kv] = (await host.engine.range({ from: keys.machine(machine.id) })).kvs;
  if (kv?.lease !== undefined) await host.engine.revokeLease(kv.lease);
  const reasons: (string | undefined)[] = [];
  host.engine.watch(
    { ranges: [{ from: keys.machine(machine.id) }], fromRevision: host.engine.revision + 1 },
    {
      onEvents(events) {
        for (const event of events)
          if (event.kind === 'put') reasons.push(decodeRecord<MachineRecord>(event.kv.key, event.kv.value).frozen);
      },
      onBroken() {},
    },
  );
  await host.restartAgent();
  await host.clock.advance(60_000);
  assert.match(host.agent.findFreezeReason() ?? '', /never had db\.service/);
  assert.ok(reasons.length > 0 && !reasons.includes(undefined), 'frozen from the moment it registers');
  await host.restartAgent();
  await unfreeze('adopt');
  await placeAll();
  await host.clock.advance(60_000);
  assert.equal(host.agent.findFreezeReason(), undefined);
  assert.deepEqual(host.actions, []);
  assert.equal((await findUnit(db))?.runsOn, machine.id);
});

test('discarding stops what the store does not know, and leaves alone what it schedules here', async () => {
  await allStarted();
  host.store.wipe();
  await host.setUpCluster('two');
  const scheduled = await host.schedule(web);
  const [unit] = (await host.engine.range({ from: keys.unit(web) })).kvs;
  await host.reschedule(web, { ...scheduled, uid: unit?.createRevision ?? 0 });
  await unfreeze('discard');
  await host.until(async () => (await host.unitManager.listFiles()).size === 1, 'gone');
  await host.untilRow(web, 'active');
  await host.clock.advance(60_000);
  assert.deepEqual(new Set(host.actions), new Set([`stop ${db}`, `unload ${db}`, `unload ${job}`]));
  assert.equal(await findUnit(db), undefined);
});

test('discarding with a damaged assignment takes the files in its directory for its own', async () => {
  await allStarted();
  await host.agent.close();
  await damage();
  host.unitManager.dropFile({ name: service('other'), content: new TextEncoder().encode(sleeper) });
  await host.write({ kind: 'delete', from: keys.schedule(machine.id, web) }, { kind: 'delete', from: keys.unit(web) });
  await host.restartAgent();
  await host.clock.advance(5_000);
  assert.deepEqual(host.actions, []);
  await unfreeze('discard');
  await host.until(async () => (await host.unitManager.listFiles()).size === 2, 'gone');
  assert.deepEqual([await host.active(web), await host.active(db)], ['inactive', 'active']);
});

test("a stranger's file is neither written back nor taken away", async () => {
  await allStarted();
  const other = service('other');
  host.unitManager.dropFile({ name: other, content: new TextEncoder().encode(sleeper) });
  host.store.wipe();
  await unfreeze('adopt');
  assert.equal(await findUnit(other), undefined);
  host.store.wipe();
  await unfreeze('discard');
  await host.until(async () => (await host.unitManager.listFiles()).size === 1, 'gone');
  await host.clock.advance(20_000);
  assert.equal((await host.unitManager.listFiles()).has(other), true);
});

test('a host that rebooted while it was frozen starts what was started', async () => {
  await allStarted();
  const record = await host.schedule(db, sleeper);
  await host.reschedule(db, { ...record, desiredState: 'loaded' });
  await host.untilRow(db, 'inactive');
  host.store.wipe();
  await untilFrozen();
  await host.reboot();
  host.actions.length = 0;
  await host.clock.advance(60_000);
  assert.deepEqual(host.actions, []);
  await unfreeze('adopt');
  assert.deepEqual([(await findUnit(web))?.desiredState, (await findUnit(db))?.desiredState], ['launched', 'loaded']);
  await placeAll();
  await host.untilRow(web, 'active');
  assert.equal(await host.active(db), 'inactive');
});

test('a global unit comes back as one', async () => {
  const text = `${sleeper}[X-Fleet]\nGlobal=true\n`;
  await host.putGlobal(web, text);
  await host.untilRow(web, 'active');
  host.actions.length = 0;
  host.store.wipe();
  await unfreeze('adopt');
  const [copy] = (await host.engine.range({ from: keys.global(web) })).kvs;
  assert.equal(copy && decodeRecord<UnitRecord>(copy.key, copy.value).isGlobal, true);
  await host.untilRow(web, 'active');
  assert.deepEqual(host.actions, []);
});

test('an order counts although another machine has set the store up since, and leaves nothing behind', async () => {
  await allStarted();
  host.store.wipe();
  await untilFrozen();
  await orderUnfreeze(host.engine, machine.id, 'adopt');
  await host.setUpCluster('two');
  await host.until(async () => (await record())?.frozen === undefined, 'no longer frozen');
  assert.notEqual(await findUnit(web), undefined);
  for (const range of [{ from: keys.unfreeze(machine.id) }, ranges.heldOf(machine.id)])
    assert.deepEqual((await host.engine.range(range)).kvs, []);
  assert.equal((await record())?.held, undefined);
});

test('a machine that is not frozen, or not there, takes no order to unfreeze', async () => {
  assert.equal(await orderUnfreeze(host.engine, machine.id, 'discard'), 'not-frozen');
  assert.equal(await orderUnfreeze(host.engine, parseMachineId('f'.repeat(32)), 'discard'), 'absent');
});

/** Lets the daemon's store answer so many calls more, and then none. Returns what ends that. */
function cutAfter(calls: number): () => void {
  let left = calls;
  const { store } = host;
  const [transact, range] = [store.transact.bind(store), store.range.bind(store)];
  const count = () => {
    if (left-- === 0) store.cut();
  };
  store.transact = (transaction) => {
    count();
    return transact(transaction);
  };
  store.range = (request) => {
    count();
    return range(request);
  };
  return () => {
    Object.assign(store, { transact, range });
    store.heal();
  };
}

for (let calls = 0; calls <= 8; calls++)
  test(`a daemon that ends ${calls} calls after it heard the order has done no harm, and goes on`, async () => {
    await allStarted();
    host.store.wipe();
    await untilFrozen();
    const heal = cutAfter(calls);
    await orderUnfreeze(host.engine, machine.id, 'adopt');
    await host.clock.advance(100);
    await host.agent.close();
    heal();
    await host.restartAgent();
    await host.clock.advance(1000);
    if (host.agent.findFreezeReason() !== undefined) await unfreeze('adopt');
    await placeAll();
    await host.clock.advance(60_000);
    assert.deepEqual(host.actions, []);
    for (const name of [web, db, job]) assert.equal((await findUnit(name))?.runsOn, machine.id);
    await host.untilRow(web, 'active');
  });

for (const order of [{ how: 'merge' }, {}, { how: ['discard'] }])
  test(`an order that says ${JSON.stringify(order)} is none`, async () => {
    await allStarted();
    host.store.wipe();
    await untilFrozen();
    await host.write({ kind: 'put', key: keys.unfreeze(machine.id), value: encodeRecord(order) });
    await host.clock.advance(5_000);
    assert.notEqual(host.agent.findFreezeReason(), undefined);
    assert.deepEqual(host.actions, []);
    await unfreeze('adopt');
    assert.notEqual(await findUnit(web), undefined);
  });

for (const how of ['adopt', 'discard'] as const)
  for (const isKnown of [false, true])
    test(`${how}: what another store had started, and whose file is gone, is started${isKnown ? '' : ' when it comes'}`, async () => {
      for (let count = 0; count < 100; count++) await host.setUpCluster('one');
      await allStarted();
      host.store.wipe();
      await untilFrozen();
      await host.unitManager.stop([web]);
      await host.unitManager.unload([web]);
      await host.setUpCluster('two');
      if (isKnown) await host.schedule(web);
      await unfreeze(how);
      await host.clock.advance(5_000);
      if (!isKnown) await host.schedule(web);
      await host.untilRow(web, 'active');
    });

test('an order that was given for one store is not carried out on another', async () => {
  await allStarted();
  host.store.wipe();
  await untilFrozen();
  await host.clock.advance(5_000);
  await orderUnfreeze(host.engine, machine.id, 'discard');
  await host.clock.advance(5);
  host.store.swap();
  await host.setUpCluster('two');
  await host.clock.advance(60_000);
  assert.match(host.agent.findFreezeReason() ?? '', /cluster two/);
  assert.deepEqual(host.actions, []);
});
