import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { explain, explainMisfit, parseMachineId, type UnitExplanation } from '@flotilla/cluster';
import { encodeRecord, keys, type LossRecord } from '@flotilla/registry';
import { silentLogger } from '@flotilla/runtime';
import { parseUnitName } from '@flotilla/unit';
import { createExplainer } from './explainer.js';
import { gate, TestCluster, TracedStore } from './test-cluster.js';

/** A cluster with a leader, and with a machine that does not lead: both explain, and have to agree. */
async function open(context: TestContext) {
  const cluster = new TestCluster();
  context.after(() => cluster.close());
  const { engine, store } = await cluster.lead();
  const reader = new TracedStore(cluster.store.client());
  const explainAsReader = createExplainer({ store: reader, log: silentLogger, findEngine: () => undefined });
  const explainUnit = async (text: string) => {
    const name = parseUnitName(text);
    const told = engine.explain(name);
    assert.deepEqual(await explainAsReader(name), told);
    assert.ok(told !== undefined);
    return told;
  };
  const explained = async (text: string) => {
    const told = await explainUnit(text);
    assert.equal(told.kind, 'unit', text);
    return told as UnitExplanation;
  };
  return { cluster, store, reader, engine, explainAsReader, explainUnit, explained };
}

/** The machines of an explanation, a line each: whether the unit is there, the rank, the load, what is wrong. */
function lines({ machines }: UnitExplanation): string[] {
  return machines.map(({ machine, isHere, rank, load, misfits }) => {
    const words = [machine, isHere ? 'here' : '', rank === undefined ? '' : `#${rank}`, `${load}`];
    return [...words, ...misfits.map(explainMisfit)].filter((word) => word !== '').join(' ');
  });
}

test('a unit that waits: every line that each machine lacks, and since when', async (context) => {
  const { cluster, explained } = await open(context);
  await cluster.join('m1', { metadata: { role: 'web' } });
  await cluster.join('m2', { metadata: { role: 'db' } });
  const fleet = 'MachineMetadata=role=db\nMachineMetadata=disk=ssd';
  await cluster.submit('db.service', { fleet });
  await cluster.settle();
  const told = await explained('db.service');
  assert.equal(told.standing, 'waiting');
  assert.deepEqual(told.requirements, fleet.split('\n'));
  assert.deepEqual(lines(told), ['m1 0 lacks role=db lacks disk=ssd', 'm2 0 lacks disk=ssd']);
  assert.equal(told.reason && explain(told.reason), '2 machines: 1 lacks disk=ssd, 1 lacks role=db');
  assert.equal(told.waitingSince, (await cluster.findReason('db.service'))?.since);
});

test('a placed unit: where it is, and where it would fit', async (context) => {
  const { cluster, explained } = await open(context);
  for (const machine of ['m1', 'm2', 'm3']) await cluster.join(machine);
  await cluster.submit('lb.service');
  await cluster.settle();
  await cluster.submit('web.service', { fleet: 'Conflicts=lb.*' });
  await cluster.settle();
  const told = await explained('web.service');
  assert.deepEqual([told.standing, told.placement, told.reason], ['placed', 'm2', undefined]);
  assert.deepEqual(lines(told), ['m1 1 has lb.service, with which it conflicts', 'm2 here 1', 'm3 0']);
});

test('an inactive unit goes where it is said to go when it is started', async (context) => {
  const { cluster, explained } = await open(context);
  for (const machine of ['m1', 'm2', 'm3']) await cluster.join(machine, { metadata: { disk: machine } });
  await cluster.submit('a.service');
  await cluster.settle();
  const fleet = 'PreferMachineMetadata=10:disk=m3\nMachineMetadata=disk!=m2';
  await cluster.submit('web.service', { fleet, desired: 'inactive' });
  await cluster.settle();
  const told = await explained('web.service');
  assert.equal(told.standing, 'inactive');
  assert.deepEqual(lines(told), ['m1 #2 1', 'm2 0 fails disk!=m2', 'm3 #1 0']);
  assert.deepEqual(
    told.machines.map(({ preference }) => preference),
    [0, 0, 10],
  );
  await cluster.submit('web.service', { fleet });
  await cluster.settle();
  assert.equal((await explained('web.service')).placement, 'm3');
});

test('a template: where an instance would fit', async (context) => {
  const { cluster, explained } = await open(context);
  for (const machine of ['m1', 'm2']) await cluster.join(machine);
  const fleet = 'Conflicts=web@*';
  await cluster.submit('web@.service', { fleet, desired: 'inactive' });
  await cluster.submit('web@1.service', { fleet });
  await cluster.settle();
  const told = await explained('web@.service');
  assert.equal(told.standing, 'template');
  assert.deepEqual(lines(told), ['m1 1 has web@1.service, with which it conflicts', 'm2 0']);
});

test('a global unit: where it runs, and why not elsewhere', async (context) => {
  const { cluster, explained } = await open(context);
  await cluster.join('m1', { metadata: { role: 'web' } });
  await cluster.submit('lb.service', { fleet: 'Conflicts=logs.service' });
  await cluster.settle();
  await cluster.join('m2', { metadata: { role: 'web' } });
  await cluster.join('m3');
  const fleet = 'Global=true\nMachineMetadata=role=web';
  await cluster.submit('logs.service', { fleet });
  await cluster.submit('nowhere.service', { fleet: 'Global=true\nMachineMetadata=role=db' });
  await cluster.submit('later.service', { fleet, desired: 'inactive' });
  await cluster.settle();
  const told = await explained('logs.service');
  assert.deepEqual([told.standing, told.reason], ['global', undefined]);
  assert.deepEqual(lines(told), ['m1 1 has lb.service, with which it conflicts', 'm2 here 1', 'm3 0 lacks role=web']);
  const nowhere = await explained('nowhere.service');
  assert.equal(nowhere.reason && explain(nowhere.reason), '3 machines: 3 lack role=db');
  assert.deepEqual(lines(await explained('later.service')), ['m1 1', 'm2 1', 'm3 0 lacks role=web']);
});

test('a unit that has yet to leave a machine, and one that was global', async (context) => {
  const { cluster, explained } = await open(context);
  await cluster.join('m1', { metadata: { role: 'db' } });
  await cluster.join('m2');
  await cluster.submit('db.service', { fleet: 'MachineMetadata=role=db' });
  await cluster.settle();
  await cluster.report('db.service', 'm1');
  await cluster.join('m1');
  await cluster.join('m2', { metadata: { role: 'db' } });
  await cluster.settle();
  const told = await explained('db.service');
  assert.deepEqual([told.standing, told.leaving], ['waiting', ['m1']]);
  assert.equal(told.reason && explain(told.reason), 'it is still being stopped on machine m1');
  assert.deepEqual(lines(told), ['m1 0 lacks role=db', 'm2 #1 0']);
});

test('unreadable files, unknown names', async (context) => {
  const { cluster, explained, explainUnit } = await open(context);
  await cluster.join('m1');
  await cluster.submit('bad.service', { file: '[broken\n' });
  await cluster.settle();
  const bad = await explained('bad.service');
  assert.deepEqual([bad.standing, bad.machines, bad.desiredState], ['unreadable', [], 'launched']);
  assert.deepEqual(await explainUnit('bda.service'), { kind: 'unknown', nearest: 'bad.service' });
  assert.deepEqual(await explainUnit('bad.timer'), { kind: 'unknown', nearest: 'bad.service' });
  assert.deepEqual(await explainUnit('elephants.service'), { kind: 'unknown', nearest: undefined });
});

test('a unit whose machine is held back', async (context) => {
  const { cluster, explained } = await open(context);
  const machine = parseMachineId('m9');
  const held: LossRecord = { since: 1, state: 'brake', at: 1, units: 1, address: '' };
  const put = (key: string, record: object) => ({ kind: 'put' as const, key, value: encodeRecord(record) });
  await cluster.write(
    put(keys.member(machine), { is: 'joined', address: '' }),
    put(keys.loss(machine), held),
    put(keys.placement(parseUnitName('a.service')), { machine }),
  );
  await cluster.submit('a.service');
  await cluster.settle();
  const told = await explained('a.service');
  assert.deepEqual([told.standing, told.placement, told.isHeldBack], ['placed', 'm9', true]);
});

test('a unit whose machine is lost and may still have it', async (context) => {
  const { cluster, explained } = await open(context);
  await cluster.register('m1', 'm2');
  await cluster.submit('a.service', { fleet: 'OnPartition=stop' });
  await cluster.settle();
  await cluster.lose('m1');
  await cluster.release('m1');
  await cluster.settle();
  const told = await explained('a.service');
  assert.deepEqual([told.standing, told.placement, told.isHeldBack], ['placed', 'm1', true]);
  assert.match((told.reason && explain(told.reason)) ?? '', /^machine m1 is gone, and may take until .* to stop it/);
  assert.deepEqual(told.requirements, ['OnPartition=stop', 'OnPartitionStopSec=10']);
});

test('explaining changes nothing, and the leader reads nothing for it', async (context) => {
  const { cluster, store, engine } = await open(context);
  for (const machine of ['m1', 'm2']) await cluster.join(machine);
  const fleet = 'Conflicts=web@*\nPreferConflicts=5:db@*';
  for (const at of [1, 2, 3]) await cluster.submit(`web@${at}.service`, { fleet });
  await cluster.submit('web@.service', { fleet, desired: 'inactive' });
  await cluster.submit('logs.service', { fleet: 'Global=true\nConflicts=web@*', desired: 'inactive' });
  await cluster.settle();
  const before = await cluster.layout();
  const done = () => [store.reads, store.transactions.length];
  const counts = done();
  const names = ['web@1.service', 'web@2.service', 'web@3.service', 'web@.service', 'logs.service'].map(parseUnitName);
  const first = names.map((name) => engine.explain(name));
  assert.deepEqual(
    names.map((name) => engine.explain(name)),
    first,
  );
  await cluster.settle();
  assert.deepEqual(done(), counts);
  assert.deepEqual(await cluster.layout(), before);
});

test('who asks while the cluster is read shares the next read, which shows what was there when it was asked for', async (context) => {
  const { cluster, reader, explainAsReader } = await open(context);
  await cluster.join('m1');
  await cluster.submit('a.service');
  await cluster.settle();
  await explainAsReader(parseUnitName('a.service'));
  const readsEach = reader.reads;
  const held = gate();
  reader.beforeRead = () => held.opened;
  const first = explainAsReader(parseUnitName('a.service'));
  await cluster.submit('b.service');
  const others = Array.from({ length: 10 }, () => explainAsReader(parseUnitName('b.service')));
  held.open();
  assert.equal((await first).kind, 'unit');
  for (const other of others) assert.equal((await other).kind, 'unit');
  assert.equal(reader.reads, 3 * readsEach);
});

test('a read that fails is told to who asked, and the next one is done anew', async (context) => {
  const { reader, explainAsReader } = await open(context);
  reader.beforeRead = () => Promise.reject(new Error('no store'));
  const name = parseUnitName('a.service');
  const both = [explainAsReader(name), explainAsReader(name)];
  for (const each of both) await assert.rejects(each, /no store/);
  reader.beforeRead = async () => {};
  assert.equal((await explainAsReader(name)).kind, 'unknown');
});

test('a global unit that no machine runs has a reason in the store, as long as that is so', async (context) => {
  const { cluster } = await open(context);
  const reasonOf = async () => {
    await cluster.settle();
    const reason = await cluster.findReason('logs.service');
    return reason && explain(reason);
  };
  await cluster.submit('logs.service', { fleet: 'Global=true\nMachineMetadata=role=web\nConflicts=lb@*' });
  assert.equal(await reasonOf(), 'there is no machine');
  await cluster.join('m1');
  assert.equal(await reasonOf(), '1 machine: 1 lacks role=web');
  await cluster.join('m2', { metadata: { role: 'web' } });
  assert.equal(await reasonOf(), undefined);
  await cluster.join('m2');
  assert.equal(await reasonOf(), '2 machines: 2 lack role=web');
  await cluster.submit('logs.service', { fleet: 'Global=true\nMachineMetadata=role=web', desired: 'inactive' });
  assert.equal(await reasonOf(), undefined);
});

test('a global unit that an older one keeps off every machine runs when that one goes', async (context) => {
  const { cluster } = await open(context);
  await cluster.join('m1');
  await cluster.submit('lb@1.service');
  await cluster.settle();
  await cluster.submit('logs.service', { fleet: 'Global=true\nConflicts=lb@*' });
  await cluster.settle();
  const reason = await cluster.findReason('logs.service');
  assert.equal(reason && explain(reason), '1 machine: 1 conflicts with lb@1.service');
  await cluster.destroy('lb@1.service');
  await cluster.settle();
  assert.equal(await cluster.findReason('logs.service'), undefined);
});

test('a cluster that is too large for a view is left to its leader, wherever its limit is passed', async (context) => {
  const { cluster, engine } = await open(context);
  for (const machine of ['m1', 'm2']) await cluster.join(machine);
  await cluster.submit('a.service');
  await cluster.settle();
  const store = cluster.store.client();
  const name = parseUnitName('a.service');
  const kindOf = async (mostKeys: number) => {
    const explainIt = createExplainer({ store, log: silentLogger, findEngine: () => undefined, mostKeys });
    return explainIt(name);
  };
  // A file, a unit, a placement, a schedule, and two machines.
  assert.equal((await kindOf(6)).kind, 'unit');
  for (const mostKeys of [0, 1, 5]) {
    const told = await kindOf(mostKeys);
    assert.ok(told.kind === 'leader-explains');
    assert.equal(told.leader?.machine, 'e1');
  }
  const leaders = createExplainer({ store, log: silentLogger, findEngine: () => engine, mostKeys: 0 });
  assert.equal((await leaders(name)).kind, 'unit');
});
