import assert from 'node:assert/strict';
import { test } from 'node:test';
import { schedule } from './schedule.js';
import { cluster, decided, type Given, machine, name, unit } from './test-decisions.js';

const [m1, m2, m3] = [machine('m1'), machine('m2'), machine('m3')];

function reason(given: Given, text: string): Readonly<Record<string, number>> | undefined {
  return schedule(cluster(given)).blocked.get(name(text))?.misfits;
}

test('a chain of MachineOf= settles in one pass, whatever the names', () => {
  const units = [
    unit('a.service', { fleet: 'MachineOf=b.service' }),
    unit('b.service', { fleet: 'MachineOf=c.service' }),
    unit('c.service'),
    unit('d.service'),
  ];
  const given = { units, machines: [m1, m2], placements: { 'd.service': 'm1' } };
  assert.deepEqual(decided(given), ['a.service > m2', 'b.service > m2', 'c.service > m2']);
});

test('a chain of thousands settles too', () => {
  const names = Array.from({ length: 5_000 }, (_, index) => `u${10_000 - index}.service`);
  const units = names.map((each, index) => unit(each, { fleet: index === 0 ? '' : `MachineOf=${names[index - 1]}` }));
  assert.equal(decided({ units, machines: [m1, m2] }).filter((line) => line.endsWith(' > m1')).length, 5_000);
});

test('followers leave with their leader, and wait for it', () => {
  const units = [
    unit('a.service', { fleet: 'MachineOf=z.service' }),
    unit('z.service', { fleet: 'MachineMetadata=role=db' }),
  ];
  const machines = [m1, machine('m2', { metadata: { role: 'db' } })];
  const placements = { 'a.service': 'm1', 'z.service': 'm1' };
  assert.deepEqual(decided({ units, machines, placements }), ['a.service < m1 (misfit)', 'z.service < m1 (misfit)']);
  assert.deepEqual(reason({ units, machines, leaving: { 'z.service': 'm1' } }, 'a.service'), {
    'awaits-peer:z.service': 1,
  });
});

test('units that wait for each other wait', () => {
  const units = [
    unit('a.service', { fleet: 'MachineOf=b.service' }),
    unit('b.service', { fleet: 'MachineOf=a.service' }),
  ];
  assert.deepEqual(decided({ units, machines: [m1] }), []);
});

test('a global unit may be followed', () => {
  const units = [
    unit('a.service', { fleet: 'MachineOf=g.service' }),
    unit('g.service', { fleet: 'Global=true\nMachineMetadata=role=db' }),
  ];
  assert.deepEqual(decided({ units, machines: [m1, machine('m2', { metadata: { role: 'db' } })] }), ['a.service > m2']);
});

test('units that conflict are kept apart, whichever of them says so', () => {
  const units = [
    unit('a.service'),
    unit('b.service', { fleet: 'Conflicts=a*' }),
    unit('c.service', { fleet: 'Conflicts=*' }),
  ];
  const given = { units, machines: [m1, m2] };
  assert.deepEqual(decided(given), ['a.service > m1', 'b.service > m2']);
  assert.deepEqual(reason(given, 'c.service'), { 'conflict:a.service': 1, 'conflict:b.service': 1 });
});

test('of two that conflict where they are, the one that was placed later goes', () => {
  const units = [unit('a.service', { fleet: 'Conflicts=b.service' }), unit('b.service')];
  const placements = { 'b.service': 'm1', 'a.service': 'm1' };
  assert.deepEqual(decided({ units, machines: [m1, m2], placements }), ['a.service < m1 (misfit)']);
});

test('a unit is not placed where one that it conflicts with is still being stopped', () => {
  const units = [unit('a.service', { fleet: 'Conflicts=old.service' })];
  assert.deepEqual(decided({ units, machines: [m1, m2], leaving: { 'old.service': 'm1' } }), ['a.service > m2']);
  assert.deepEqual(decided({ units, machines: [m1], leaving: { 'old.service': 'm1' } }), []);
});

test('of a global unit and another one that conflict, the one that was made first keeps the machine', () => {
  const global = (createdAt: number) => unit('g.service', { fleet: 'Global=true\nConflicts=a.service', createdAt });
  const plain = unit('a.service', { createdAt: 5 });
  assert.deepEqual(decided({ units: [global(4), plain], machines: [m1] }), []);
  assert.deepEqual(decided({ units: [global(6), plain], machines: [m1] }), ['a.service > m1']);
});

test('inactive units and templates conflict with nobody', () => {
  const units = [
    unit('a.service', { desired: 'inactive', fleet: 'Conflicts=*' }),
    unit('b@.service', { fleet: 'Conflicts=*' }),
    unit('g.service', { desired: 'inactive', fleet: 'Global=true\nConflicts=*' }),
    unit('z.service', { fleet: 'Conflicts=*' }),
  ];
  assert.deepEqual(decided({ units, machines: [m1] }), ['z.service > m1']);
});

test('the unit that is replaced moves to a machine that can run it, and the one that replaces it stays', () => {
  const units = [unit('new.service', { fleet: 'Replaces=old.service' }), unit('old.service')];
  const placements = { 'new.service': 'm1', 'old.service': 'm1' };
  assert.deepEqual(decided({ units, machines: [m1, m2], placements }), ['old.service < m1 (replaced)']);
  const pinned = [units[0] ?? unit('x.service'), unit('old.service', { fleet: 'MachineID=m1' })];
  assert.deepEqual(decided({ units: pinned, machines: [m1, m2], placements }), []);
  assert.deepEqual(decided({ units, machines: [m1], placements }), []);
});

test('a unit that replaces another one is not drawn to it, and those that replace each other stay together', () => {
  const units = [unit('new.service', { fleet: 'Replaces=old.service' }), unit('old.service')];
  assert.deepEqual(decided({ units, machines: [m1, m2], placements: { 'old.service': 'm1' } }), ['new.service > m2']);
  const mutual = [
    unit('a.service', { fleet: 'Replaces=b.service' }),
    unit('b.service', { fleet: 'Replaces=a.service' }),
  ];
  const placements = { 'a.service': 'm1', 'b.service': 'm1' };
  assert.deepEqual(decided({ units: mutual, machines: [m1, m2], placements }), []);
});

test('a full machine takes no more, and keeps what it has', () => {
  const units = ['a.service', 'b.service', 'c.service'].map((text) => unit(text));
  const given = { units, machines: [machine('m1', { maxUnits: 1 }), machine('m2', { maxUnits: 1 })] };
  assert.deepEqual(decided(given), ['a.service > m1', 'b.service > m2']);
  assert.deepEqual(reason(given, 'c.service'), { 'machine-full': 2 });
  const placements = { 'a.service': 'm1', 'b.service': 'm1', 'c.service': 'm1' };
  assert.deepEqual(decided({ units, machines: [machine('m1', { maxUnits: 1 }), m2], placements }), []);
});

test('binpack fills the fullest machine that has room; a unit may say otherwise', () => {
  const units = [
    unit('a.service'),
    unit('b.service'),
    unit('c.service'),
    unit('d.service', { fleet: 'Strategy=spread' }),
  ];
  const machines = [m1, machine('m2', { maxUnits: 2 })];
  const placements = { 'a.service': 'm2' };
  assert.deepEqual(decided({ units, machines, placements, strategy: 'binpack' }), [
    'b.service > m2',
    'c.service > m1',
    'd.service > m1',
  ]);
});

test('random spreads by name, the same each time', () => {
  const units = Array.from({ length: 30 }, (_, index) => unit(`u${index}.service`, { fleet: 'Strategy=random' }));
  const given = { units, machines: [m1, m2, m3] };
  assert.deepEqual(decided(given), decided(given));
  assert.equal(new Set(decided(given).map((line) => line.split(' > ')[1])).size, 3);
});

test('what is preferred weighs more than the load, and conflicts that are only disliked count each unit', () => {
  const ssd = machine('m2', { metadata: { disk: 'ssd' } });
  const placements = { 'x.service': 'm2', 'y.service': 'm2' };
  const others = [unit('x.service'), unit('y.service')];
  const likes = unit('a.service', { fleet: 'PreferMachineMetadata=3:disk=ssd' });
  assert.deepEqual(decided({ units: [likes, ...others], machines: [m1, ssd], placements }), ['a.service > m2']);
  const torn = unit('a.service', { fleet: 'PreferMachineMetadata=3:disk=ssd\nPreferConflicts=2:[xy].service' });
  assert.deepEqual(decided({ units: [torn, ...others], machines: [m1, ssd], placements }), ['a.service > m1']);
});

test('SpreadOver= evens out the instances of a template, whatever else is there', () => {
  const zone = (id: string, az: string) => machine(id, { metadata: { az } });
  const machines = [zone('m1', 'a'), zone('m2', 'a'), zone('m3', 'b')];
  const units = ['1', '2', '3', '4'].map((each) => unit(`w@${each}.service`, { fleet: 'SpreadOver=az' }));
  const given = { units: [...units, unit('x.service')], machines, placements: { 'x.service': 'm3' } };
  assert.deepEqual(decided(given), ['w@1.service > m1', 'w@2.service > m3', 'w@3.service > m2', 'w@4.service > m3']);
});

test('the units of a machine that is away for now stay its own', () => {
  const given = { units: [unit('a.service')], machines: [m2], placements: { 'a.service': 'm1' } };
  const away = { ...cluster(given), away: new Set([m1.id]) };
  assert.deepEqual(schedule(away).decisions, []);
});
