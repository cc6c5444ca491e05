import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRequirements, parseUnitFile, parseUnitName, type UnitHash } from '@flotilla/unit';
import type { Machine, Unit } from './cluster-model.js';
import { fitsGlobal } from './globals.js';
import { parseMachineId } from './machine-id.js';
import { findMisfit, type MachineContext, type Misfit, misfits } from './misfits.js';

const away: MachineContext = { has: () => false, findConflict: () => undefined, load: 0 };

function unit(text: string, name = 'web.service'): Unit {
  const unitName = parseUnitName(name);
  const file = parseUnitFile(text);
  return {
    name: unitName,
    hash: '' as UnitHash,
    requirements: parseRequirements({ name: unitName, file }),
    desiredState: 'launched',
    createdAt: 1,
  };
}

function machine(id: string, metadata: Record<string, string> = {}, isClosed = false): Machine {
  return { id: parseMachineId(id), metadata: new Map(Object.entries(metadata)), isClosed };
}

const table: readonly { says: string; unit: Unit; machine: Machine; expected: readonly Misfit['kind'][] }[] = [
  { says: 'a unit that asks nothing fits', unit: unit(''), machine: machine('aaaa1111bbbb'), expected: [] },
  {
    says: 'the full machine ID fits',
    unit: unit('[X-Fleet]\nMachineID=aaaa1111bbbb\n'),
    machine: machine('aaaa1111bbbb'),
    expected: [],
  },
  {
    says: 'the first 8 characters of the ID fit',
    unit: unit('[X-Fleet]\nMachineID=aaaa1111\n'),
    machine: machine('aaaa1111bbbb'),
    expected: [],
  },
  {
    says: 'any other part of the ID does not',
    unit: unit('[X-Fleet]\nMachineID=aaaa11\n'),
    machine: machine('aaaa1111bbbb'),
    expected: ['not-required-machine'],
  },
  {
    says: 'one of several accepted values is enough',
    unit: unit('[X-Fleet]\nMachineMetadata=role=db\nMachineMetadata=role=web\n'),
    machine: machine('a', { role: 'web' }),
    expected: [],
  },
  {
    says: 'every key must match',
    unit: unit('[X-Fleet]\nMachineMetadata=role=web\nMachineMetadata=disk=ssd\n'),
    machine: machine('a', { role: 'web' }),
    expected: ['missing-metadata'],
  },
  {
    says: 'all broken rules are told, in their order',
    unit: unit('[X-Fleet]\nMachineID=b\nMachineMetadata=role=web\n'),
    machine: machine('a', {}, true),
    expected: ['not-required-machine', 'missing-metadata', 'machine-closed'],
  },
];

for (const { says, expected, ...pair } of table) {
  test(says, () => {
    const found = misfits(pair.unit, pair.machine, away);
    assert.deepEqual(
      found.map(({ kind }) => kind),
      expected,
    );
    assert.deepEqual(findMisfit(pair.unit, pair.machine, away), found[0]);
  });
}

test('a closed machine keeps what it has and takes nothing new', () => {
  const web = unit('');
  const closed = machine('a', {}, true);
  assert.deepEqual(misfits(web, closed, away), [{ kind: 'machine-closed' }]);
  assert.deepEqual(misfits(web, closed, { ...away, has: (name) => name === web.name }), []);
});

test('a global unit fits by its metadata alone', () => {
  const logs = unit('[X-Fleet]\nGlobal=true\nMachineMetadata=role=web\n');
  assert.equal(fitsGlobal(logs, machine('a', { role: 'web' }, true)), true);
  assert.equal(fitsGlobal(logs, machine('a', { role: 'db' })), false);
  assert.equal(fitsGlobal(unit(''), machine('a')), false);
});
