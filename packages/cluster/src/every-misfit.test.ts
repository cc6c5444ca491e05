import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noRequirements, parseUnitName, type Requirements, type UnitHash } from '@flotilla/unit';
import type { Machine, Unit } from './cluster-model.js';
import { explain, explainMisfit } from './explain.js';
import { globalMisfits, globalsOn } from './globals.js';
import { parseMachineId } from './machine-id.js';
import { everyMisfit, findMisfit, type MachineContext, type Misfit, ruleOf } from './misfits.js';
import { spellRequirements } from './spell-requirements.js';

const alone: MachineContext = { has: () => false, findConflict: () => undefined, load: 0 };

function unit(name: string, asked: Partial<Requirements> = {}, createdAt = 1): Unit {
  return {
    name: parseUnitName(name),
    hash: '' as UnitHash,
    requirements: { ...noRequirements, ...asked },
    desiredState: 'launched',
    createdAt,
  };
}

function machine(metadata: Record<string, string> = {}): Machine {
  return { id: parseMachineId('0123456789abcdef'), metadata: new Map(Object.entries(metadata)), isClosed: false };
}

const demanding = unit('web.service', {
  machineId: 'fedcba9876543210',
  metadata: new Map([
    ['role', ['db', 'web']],
    ['disk', ['ssd']],
  ]),
  metadataTests: [
    { op: '>=', key: 'cores', value: 8 },
    { op: 'lacks', key: 'spot' },
  ],
  machineOf: ['a.service', 'b.service'],
});

test('people are told each line that a machine does not satisfy', () => {
  const found = everyMisfit(demanding, machine({ disk: 'ssd', spot: '' }), alone);
  assert.deepEqual(found.map(explainMisfit), [
    'is not machine fedcba98',
    'lacks role=db|web',
    'fails cores>=8',
    'has spot',
    'does not have a.service',
    'does not have b.service',
  ]);
  assert.deepEqual([...new Set(found.map(ruleOf))], ['MachineID', 'MachineMetadata', 'MachineOf']);
  assert.deepEqual(found[0], findMisfit(demanding, machine(), alone));
});

test('a machine that satisfies all has no misfit', () => {
  const own = { ...demanding, requirements: { ...demanding.requirements, machineId: '01234567' } };
  const fitting = machine({ role: 'db', disk: 'ssd', cores: '8' });
  assert.deepEqual(everyMisfit(own, fitting, { ...alone, has: () => true }), []);
});

test('requirements are spelled as a unit file has them', () => {
  const asked: Partial<Requirements> = {
    ...demanding.requirements,
    isGlobal: true,
    conflicts: ['lb@*'],
    replaces: ['old-*'],
    preferMetadata: [{ weight: 10, test: { op: '=', key: 'disk', value: 'nvme' } }],
    preferConflicts: [{ weight: 5, glob: 'db@*' }],
    spreadOver: ['az', 'rack'],
    strategy: 'binpack',
  };
  assert.deepEqual(spellRequirements({ ...noRequirements, ...asked }), [
    'Global=true',
    'MachineID=fedcba9876543210',
    'MachineMetadata=role=db',
    'MachineMetadata=role=web',
    'MachineMetadata=disk=ssd',
    'MachineMetadata=cores>=8',
    'MachineMetadata=!spot',
    'MachineOf=a.service',
    'MachineOf=b.service',
    'Conflicts=lb@*',
    'Replaces=old-*',
    'PreferMachineMetadata=10:disk=nvme',
    'PreferConflicts=5:db@*',
    'SpreadOver=az',
    'SpreadOver=rack',
    'Strategy=binpack',
  ]);
  assert.deepEqual(spellRequirements(noRequirements), []);
});

test('a global unit has misfits exactly where it does not run', () => {
  const logs = unit('logs.service', { isGlobal: true, metadata: new Map([['role', ['web']]]) }, 2);
  const rival = unit('rival.service', { isGlobal: true, conflicts: ['logs.*'] }, 3);
  const earlier = unit('earlier.service', { conflicts: ['logs.service'] }, 1);
  const later = unit('later.service', { conflicts: ['logs.service'] }, 4);
  const web = machine({ role: 'web' });
  const lacks: Misfit = { kind: 'missing-metadata', key: 'role', accepted: ['web'] };
  const rows: readonly (readonly [Machine, Unit[], Misfit[]])[] = [
    [web, [], []],
    [web, [later], []],
    [web, [earlier], [{ kind: 'conflict', with: earlier.name }]],
    [machine(), [], [lacks]],
    [machine(), [earlier], [lacks, { kind: 'conflict', with: earlier.name }]],
  ];
  for (const [host, residents, expected] of rows) {
    const running = globalsOn(host, [logs, rival], residents);
    assert.deepEqual(globalMisfits(logs, host, { running, residents }), expected);
    assert.equal(running.includes(logs), expected.length === 0);
  }
  const running = globalsOn(web, [logs, rival], []);
  assert.deepEqual(globalMisfits(rival, web, { running, residents: [] }), [{ kind: 'conflict', with: logs.name }]);
});

test('a reason names machines by their short IDs', () => {
  const text = explain({ machines: 2, misfits: { 'not-required-machine:fedcba9876543210': 2 } });
  assert.equal(text, '2 machines: 2 are not machine fedcba98');
});
