import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UnitName } from '@flotilla/unit';
import { ClusterIndex } from './cluster-index.js';
import { indexOfCluster } from './index-of-cluster.js';
import { decide, schedule } from './schedule.js';
import { cluster, decided, id, machine, name, unit } from './test-decisions.js';

test('units go to the machines with the fewest units, ties to the lower ID', () => {
  const units = ['a.service', 'b.service', 'c.service'].map((text) => unit(text));
  assert.deepEqual(decided({ units, machines: [machine('m2'), machine('m1')] }), [
    'a.service > m1',
    'b.service > m2',
    'c.service > m1',
  ]);
});

test('inactive units and templates are not placed, and do not weigh', () => {
  const units = [
    unit('a.service', { desired: 'inactive' }),
    unit('b@.service'),
    unit('g.service', { desired: 'inactive', fleet: 'Global=true' }),
    unit('z.service'),
  ];
  assert.deepEqual(decided({ units, machines: [machine('m1'), machine('m2')] }), ['z.service > m1']);
});

test('a global unit is placed nowhere and weighs on each machine that it fits', () => {
  const units = [unit('g.service', { fleet: 'Global=true\nMachineMetadata=role=web' }), unit('a.service')];
  const machines = [machine('m1', { metadata: { role: 'web' } }), machine('m2')];
  assert.deepEqual(decided({ units, machines }), ['a.service > m2']);
});

test('a unit stays put when its machine still fits, however crowded that is', () => {
  const units = ['a.service', 'b.service'].map((text) => unit(text));
  const placements = { 'a.service': 'm1', 'b.service': 'm1' };
  assert.deepEqual(decided({ units, machines: [machine('m1'), machine('m2')], placements }), []);
});

test('a unit stays on a machine that has closed', () => {
  const machines = [machine('m1', { isClosed: true }), machine('m2')];
  assert.deepEqual(decided({ units: [unit('a.service')], machines, placements: { 'a.service': 'm1' } }), []);
});

test('the units of a lost machine are placed anew in the same plan', () => {
  assert.deepEqual(
    decided({ units: [unit('a.service')], machines: [machine('m2')], placements: { 'a.service': 'm1' } }),
    ['a.service < m1 (machine-lost)', 'a.service > m2'],
  );
});

test('a destroyed and an inactive unit leave; nothing takes their place', () => {
  const given = {
    units: [unit('b.service', { desired: 'inactive' })],
    machines: [machine('m1')],
    placements: { 'a.service': 'm1', 'b.service': 'm1' },
  };
  assert.deepEqual(decided(given), ['a.service < m1 (destroyed)', 'b.service < m1 (inactive)']);
});

test('a unit that runs on a machine already is placed there, whatever else is there, and weighs as any other', () => {
  const home = (text: string, on: string) => ({ ...unit(text), runsOn: { machine: id(on), asOf: 1 } });
  const machines = [machine('m1', { isClosed: true }), machine('m2'), machine('m3')];
  const units = [home('a.service', 'm2'), home('b.service', 'm2'), home('c.service', 'm1'), unit('d.service')];
  assert.deepEqual(decided({ units, machines }), [
    'a.service > m2',
    'b.service > m2',
    'c.service > m1',
    'd.service > m3',
  ]);
  assert.deepEqual(
    decided({ units, machines, placements: { 'a.service': 'm3', 'b.service': 'm3', 'c.service': 'm3' } }),
    ['d.service > m2'],
  );
});

test('a unit does not go back to where it ran if it does not fit there, or nobody is there', () => {
  const fleet = 'MachineMetadata=role=web';
  const units = [
    { ...unit('a.service', { fleet }), runsOn: { machine: id('m1'), asOf: 1 } },
    { ...unit('b.service'), runsOn: { machine: id('m9'), asOf: 1 } },
  ];
  const machines = [machine('m1'), machine('m2', { metadata: { role: 'web' } })];
  assert.deepEqual(decided({ units, machines }), ['a.service > m2', 'b.service > m1']);
});

test('a unit that no longer fits leaves first and is placed when it has left', () => {
  const units = [unit('a.service', { fleet: 'MachineMetadata=role=web' })];
  const machines = [machine('m1'), machine('m2', { metadata: { role: 'web' } })];
  const plan = schedule(cluster({ units, machines, placements: { 'a.service': 'm1' } }));
  assert.deepEqual(
    plan.decisions.map(({ kind, machine: on }) => `${kind} ${on}`),
    ['unschedule m1'],
  );
  assert.deepEqual(plan.blocked.get(name('a.service'))?.misfits, { 'leaving:m1': 1 });
  assert.deepEqual(decided({ units, machines, leaving: { 'a.service': 'm1' } }), []);
  assert.deepEqual(decided({ units, machines }), ['a.service > m2']);
});

test('a unit does not wait for a machine that is gone', () => {
  const given = { units: [unit('a.service')], machines: [machine('m2')], leaving: { 'a.service': 'm1' } };
  assert.deepEqual(decided(given), ['a.service > m2']);
});

test('a unit that fits nowhere is blocked, each machine counted once by its first misfit', () => {
  const units = [unit('a.service', { fleet: 'MachineID=m1\nMachineMetadata=role=db' })];
  const machines = [machine('m1'), machine('m2'), machine('m3')];
  const { decisions, blocked } = schedule(cluster({ units, machines }));
  assert.deepEqual(decisions, []);
  assert.deepEqual(blocked.get(name('a.service')), {
    machines: 3,
    misfits: { 'missing-metadata:role=db': 1, 'not-required-machine:m1': 2 },
  });
});

test('what can not be read is left exactly as it is', () => {
  const unreadable = { units: ['a.service', 'c.service'], machines: ['m9'] };
  const given = {
    units: [unit('b.service')],
    machines: [machine('m1')],
    placements: { 'a.service': 'm1', 'b.service': 'm9' },
    unreadable,
  };
  assert.deepEqual(decided(given), []);
});

test('a pass that breaks off leaves the index as it was', () => {
  const units = [unit('a.service'), unit('b.service', { fleet: 'MachineMetadata=role=db' })];
  const index = indexOfCluster(cluster({ units, machines: [machine('m1', { metadata: { role: 'db' } })] }));
  const { countWithMetadata } = index.machines.directory;
  index.machines.directory.countWithMetadata = () => {
    throw new Error('a bug');
  };
  assert.throws(() => decide(index), /a bug/);
  assert.equal(index.units.of(name('a.service')).placement, undefined);
  index.machines.directory.countWithMetadata = countWithMetadata;
  assert.equal(decide(index).decisions.length, 2);
});

test('a unit that has become inactive seeks no machine any more', () => {
  const index = indexOfCluster(cluster({ units: [unit('a.service')] }));
  decide(index);
  assert.deepEqual([...index.units.seekers].length, 1);
  index.setUnit(name('a.service'), unit('a.service', { desired: 'inactive' }));
  decide(index);
  assert.equal(index.units.seekers.size, 0);
});

test('a write that did not come about touches those that are replaced and could not go because of it', () => {
  const units = [unit('a.service'), unit('b.service', { fleet: 'Replaces=a.service' }), unit('c.service')];
  const touched = new Set<string>();
  const index = new ClusterIndex({ onTouched: (each) => touched.add(each) });
  const all = cluster({ units, machines: [machine('m1')], placements: { 'a.service': 'm1', 'b.service': 'm1' } });
  for (const [machineId, each] of all.machines) index.setMachine(machineId, each);
  for (const each of units) index.setUnit(each.name, each);
  for (const [each, placement] of all.placements) index.setPlacement(each, placement);
  decide(index);
  touched.clear();
  index.touchRelatives(new Set([name('c.service')]));
  assert.deepEqual([...touched].sort(), ['a.service', 'c.service']);
});

test('a global unit that runs nowhere is of concern to what is replaced where it would come', () => {
  const touched = new Set<UnitName>();
  const index = new ClusterIndex({ onTouched: (each) => touched.add(each) });
  const [m1, m2] = [machine('m1'), machine('m2')];
  index.setMachine(m1.id, m1);
  index.setMachine(m2.id, m2);
  const global = unit('g.service', { fleet: 'Global=true\nConflicts=?.service', createdAt: 2 });
  const replacer = unit('e.service', { fleet: 'Replaces=a.service', createdAt: 3 });
  for (const each of [unit('a.service'), global, replacer, unit('b.service')]) index.setUnit(each.name, each);
  index.setPlacement(name('a.service'), { machine: m1.id, since: 1 });
  index.setPlacement(name('e.service'), { machine: m1.id, since: 2 });
  index.setPlacement(name('b.service'), { machine: m2.id, since: 3 });
  assert.deepEqual(decide(index).decisions, []);
  touched.clear();
  index.setUnit(global.name, undefined);
  const [first] = decide(index, touched).decisions;
  assert.deepEqual(first, {
    kind: 'unschedule',
    unit: 'a.service',
    machine: 'm1',
    why: { kind: 'replaced', by: 'e.service' },
  });
});
