import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { parseMachineId } from '@flotilla/cluster';
import { decodeRecord, encodeRecord, keys, type MachineRecord } from '@flotilla/registry';
import { MemoryHost, machine, service, sleeper } from './memory-host.js';

let host: MemoryHost;
beforeEach(async () => {
  host = await MemoryHost.start();
});
afterEach(async () => {
  await host.close();
});

const [web, db] = [service('web'), service('db')];
const elsewhere = encodeRecord({ machine: parseMachineId('f'.repeat(32)) });

const bothRun = () => host.run(web, db);

/** Cuts the agent off, lets the store change, and brings it back after its watch can no longer resume. */
async function behindItsBack(change: () => Promise<void>) {
  host.store.cut();
  await change();
  await host.engine.compact(host.engine.revision);
  host.store.heal();
}

test('a deleted order stops the unit', async () => {
  await bothRun();
  await host.write({ kind: 'delete', from: keys.schedule(machine.id, web) });
  await host.until(async () => (await host.active(web)) === 'inactive', 'stopped');
  await host.until(async () => (await host.findRow(web)) === undefined, 'no longer reported');
  assert.equal((await host.unitManager.listFiles()).has(web), false);
  assert.equal(await host.active(db), 'active');
});

test('a lost store changes nothing, however long', async () => {
  await bothRun();
  host.store.cut();
  await host.clock.advance(3_600_000);
  host.store.heal();
  await host.untilRow(web, 'active');
  assert.deepEqual(host.actions, []);
});

test('a machine that may count as lost starts and stops nothing, although it has the order', async () => {
  await bothRun();
  const record = await host.schedule(web);
  host.beforeNextCall = () => {
    host.store.cut();
    host.clock.freeze(60_000);
  };
  await host.reschedule(web, { ...record, isLeaving: true });
  await host.clock.advance(60_000);
  assert.equal(host.beforeNextCall, undefined, 'time has passed within a pass');
  assert.equal(host.agent.isReady(), false);
  assert.deepEqual(host.actions, []);
  host.store.heal();
  await host.until(async () => (await host.active(web)) === 'inactive', 'stopped');
});

test('a unit that was destroyed meanwhile is stopped', async () => {
  await bothRun();
  await behindItsBack(() =>
    host.write(
      { kind: 'delete', from: keys.schedule(machine.id, web) },
      { kind: 'delete', from: keys.unit(web) },
      { kind: 'delete', from: keys.placement(web) },
    ),
  );
  await host.until(async () => (await host.active(web)) === 'inactive', 'stopped');
  assert.equal(await host.active(db), 'active');
});

test('a unit that was placed elsewhere meanwhile is stopped', async () => {
  await bothRun();
  await behindItsBack(() =>
    host.write(
      { kind: 'delete', from: keys.schedule(machine.id, web) },
      { kind: 'put', key: keys.placement(web), value: elsewhere },
    ),
  );
  await host.until(async () => (await host.active(web)) === 'inactive', 'stopped');
});

for (const [title, says, change] of [
  ['whose placement still names this machine', 'a unit is placed here and has no order', []],
  [
    'that is wanted and has no placement',
    'a unit has no order and waits for a machine',
    [{ kind: 'delete', from: keys.placement(web) } as const],
  ],
] as const)
  test(`a unit ${title} is kept although its order is missing`, async () => {
    await bothRun();
    await behindItsBack(() => host.write({ kind: 'delete', from: keys.schedule(machine.id, web) }, ...change));
    await host.clock.advance(60_000);
    await host.untilRow(web, 'active');
    assert.deepEqual(host.actions, []);
    assert.equal(host.lines.filter((line) => line.endsWith('it is kept as it is')).length, 1);
    assert.equal(host.lines.filter((line) => line.startsWith(says)).length, 1);
  });

for (const [title, change] of [
  ['destroyed', [{ kind: 'delete', from: keys.unit(web) } as const]],
  ['placed elsewhere', [{ kind: 'put', key: keys.placement(web), value: elsewhere } as const]],
] as const)
  test(`a unit that waited when its machine came back, and is ${title} later, is stopped soon after`, async () => {
    await bothRun();
    await behindItsBack(() =>
      host.write(
        { kind: 'delete', from: keys.schedule(machine.id, web) },
        { kind: 'delete', from: keys.placement(web) },
      ),
    );
    await host.clock.advance(60_000);
    assert.deepEqual(host.actions, []);
    await host.write(...change);
    await host.clock.advance(6_000);
    assert.equal(await host.active(web), 'inactive');
    assert.equal(await host.active(db), 'active');
  });

test('a unit that waits is not stopped when the store is replaced meanwhile', async () => {
  await bothRun();
  const record = await host.schedule(web);
  await behindItsBack(() =>
    host.write({ kind: 'delete', from: keys.schedule(machine.id, web) }, { kind: 'delete', from: keys.placement(web) }),
  );
  await host.clock.advance(10_000);
  // Still the same watch, but another answer to whoever asks.
  await host.write({ kind: 'delete', from: keys.unit(web) }, { kind: 'delete', from: keys.cluster });
  await host.clock.advance(60_000);
  assert.deepEqual(host.actions, []);
  assert.match(host.agent.findFreezeReason() ?? '', /no cluster record/);
  // What the wrong store said does not count once the right one is back.
  await host.setUpCluster('one');
  await host.write({ kind: 'put', key: keys.unit(web), value: encodeRecord(record) });
  await host.reschedule(db, record);
  await host.clock.advance(60_000);
  assert.equal(host.agent.findFreezeReason(), undefined);
  assert.deepEqual(host.actions, []);
});

test('records that can not be read are no orders, and hold up nobody', async () => {
  await bothRun();
  const bad = new TextEncoder().encode('{');
  await host.agent.close();
  await host.write(
    { kind: 'delete', from: keys.schedule(machine.id, web) },
    { kind: 'put', key: keys.unit(web), value: bad },
    { kind: 'put', key: keys.state(web, machine.id), value: bad },
    { kind: 'put', key: keys.machine(machine.id), value: bad },
    { kind: 'delete', from: keys.schedule(machine.id, db) },
    { kind: 'delete', from: keys.unit(db) },
  );
  await host.restartAgent();
  await host.until(async () => (await host.active(db)) === 'inactive', 'stopped');
  await host.clock.advance(60_000);
  await host.untilRow(web, 'active');
  assert.deepEqual(host.actions, [`stop ${db}`, `unload ${db}`]);
});

test('a machine that never had a unit joins another cluster; one that had is frozen from the moment it registers', async () => {
  await host.restartAgent();
  await host.setUpCluster('two');
  await host.restartAgent();
  await host.until(() => host.agent.isReady(), 'registered');
  await bothRun();
  await host.agent.close();
  await host.engine.revokeLease((await host.engine.range({ from: keys.machine(machine.id) })).kvs[0]?.lease ?? '');
  const { revision } = await host.engine.range({ from: keys.cluster });
  const reasons: unknown[] = [];
  host.engine.watch(
    { ranges: [{ from: keys.machine(machine.id) }], fromRevision: revision + 1 },
    {
      onEvents(events) {
        for (const event of events)
          if (event.kind === 'put') reasons.push(decodeRecord<MachineRecord>(event.kv.key, event.kv.value).frozen);
      },
      onBroken() {},
    },
  );
  await host.setUpCluster('three');
  await host.restartAgent();
  await host.until(() => reasons.length > 0, 'registered');
  await host.clock.advance(5_000);
  assert.deepEqual(new Set(reasons), new Set(['the store belongs to cluster three, this machine to two']));
});

for (const [says, value] of [
  ['no JSON', new TextEncoder().encode('{')],
  ['no identity', encodeRecord({})],
] as const)
  test(`a cluster record that says ${says} freezes, and does not keep the machine from being one`, async () => {
    await bothRun();
    await host.write({ kind: 'put', key: keys.cluster, value });
    await host.restartAgent();
    await host.until(() => host.agent.isReady(), 'registered');
    await host.clock.advance(5_000);
    assert.match(host.agent.findFreezeReason() ?? '', /the value of cluster/);
    await host.setUpCluster('one');
    await host.clock.advance(1_000_000);
    assert.equal(host.agent.findFreezeReason(), undefined);
    assert.deepEqual(host.actions, []);
  });

test('a store without an identity gives no orders to a machine that belongs to none', async () => {
  await host.leave();
  await host.write({ kind: 'put', key: keys.cluster, value: encodeRecord({}) });
  await host.restartAgent();
  await host.schedule(web);
  await host.clock.advance(60_000);
  assert.notEqual(host.agent.findFreezeReason(), undefined);
  assert.deepEqual(host.actions, []);
});

test('while the watch is broken it is in doubt whether the store is the known one', async () => {
  await bothRun();
  const record = await host.schedule(db);
  assert.ok(!host.verdicts.includes('in doubt'));
  await behindItsBack(() => host.reschedule(db, { ...record, isLeaving: true }));
  await host.until(async () => (await host.active(db)) === 'inactive', 'stopped');
  const told = host.verdicts.slice(host.verdicts.indexOf('in doubt'));
  assert.deepEqual([told[0], new Set(told.slice(1))], ['in doubt', new Set([undefined])]);
});

test('a daemon that was away finds out what was destroyed', async () => {
  await bothRun();
  await host.agent.close();
  await host.write(
    { kind: 'delete', from: keys.schedule(machine.id, web) },
    { kind: 'delete', from: keys.unit(web) },
    { kind: 'delete', from: keys.placement(web) },
  );
  await host.restartAgent();
  await host.until(async () => (await host.active(web)) === 'inactive', 'stopped');
  await host.until(async () => (await host.findRow(web)) === undefined, 'no longer reported');
  assert.equal(await host.active(db), 'active');
});

for (const [title, disaster] of [
  ['was emptied', () => host.store.wipe()],
  ['was replaced by another one', () => host.store.swap()],
] as const)
  test(`a store that ${title} stops nothing`, async () => {
    await bothRun();
    disaster();
    await host.clock.advance(60_000);
    assert.deepEqual(host.actions, []);
    assert.match(host.agent.findFreezeReason() ?? '', /no cluster record/);
    // The engine hears of it too: who takes no orders gives none.
    assert.equal(host.verdicts.at(0), undefined);
    assert.match(host.verdicts.at(-1) ?? '', /no cluster record/);
    await host.setUpCluster('two');
    await host.restartAgent();
    await host.clock.advance(60_000);
    assert.deepEqual(host.actions, []);
    assert.match(host.agent.findFreezeReason() ?? '', /belongs to cluster two/);
  });

test('a store whose keys were all deleted on an unbroken watch stops nothing', async () => {
  await bothRun();
  await host.write({ kind: 'delete', from: '!', to: '~' });
  await host.clock.advance(60_000);
  assert.deepEqual(host.actions, []);
  assert.match(host.agent.findFreezeReason() ?? '', /no cluster record/);
});

test('a store that went back in time stops nothing, also after its revision has risen again', async () => {
  const before = host.store.revision;
  await bothRun();
  host.store.restore(before);
  await host.clock.advance(60_000);
  assert.match(host.agent.findFreezeReason() ?? '', /revision/);
  for (let count = 0; count < 100; count++)
    await host.write({ kind: 'put', key: keys.reason(web), value: new Uint8Array() });
  await host.restartAgent();
  await host.clock.advance(60_000);
  assert.deepEqual(host.actions, []);
  assert.match(host.agent.findFreezeReason() ?? '', /revision/);
});

test('leaving without a store stops the units within its time and remembers them', async () => {
  await bothRun();
  host.store.cut();
  await host.clock.advance(60_000);
  await host.leave();
  assert.equal(await host.active(web), 'inactive');
  assert.equal((await host.unitManager.listFiles()).has(web), true);
  host.store.heal();
  await host.restartAgent();
  await host.until(async () => (await host.active(web)) === 'active', 'started again');
});

test('global units run where they fit, as long as they are wanted', async () => {
  const fits = `${sleeper}[X-Fleet]\nGlobal=true\nMachineMetadata=role=web\n`;
  const fitsNot = `${sleeper}[X-Fleet]\nGlobal=true\nMachineMetadata=role=db\n`;
  await host.putGlobal(web, fits);
  await host.putGlobal(db, fitsNot);
  await host.untilRow(web, 'active');
  assert.equal(await host.active(db), 'inactive');
  assert.equal(await host.findRow(db), undefined);
  await host.putGlobal(db, fits);
  await host.untilRow(db, 'active');
  await host.putGlobal(web, fits, { desiredState: 'inactive' });
  await host.until(async () => (await host.active(web)) === 'inactive', 'stopped');
  await host.until(async () => (await host.findRow(web)) === undefined, 'no longer reported');
  await host.putGlobal(db, fitsNot);
  await host.until(async () => (await host.active(db)) === 'inactive', 'stopped');
});

test('a global unit that was destroyed while the daemon was away is stopped', async () => {
  await host.putGlobal(web, `${sleeper}[X-Fleet]\nGlobal=true\n`);
  await host.untilRow(web, 'active');
  await host.agent.close();
  await host.write({ kind: 'delete', from: keys.global(web) }, { kind: 'delete', from: keys.unit(web) });
  await host.restartAgent();
  await host.until(async () => (await host.active(web)) === 'inactive', 'stopped');
});
