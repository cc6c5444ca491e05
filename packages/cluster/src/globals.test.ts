import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRequirements, parseUnitFile, parseUnitName, type UnitHash } from '@flotilla/unit';
import type { Unit } from './cluster-model.js';
import { conflicts, globalsOn } from './globals.js';

const machine = { metadata: new Map([['role', 'web']]) };

/** `name` as a service; `options` go below `[X-Fleet]`. */
function unit(name: string, createdAt: number, ...options: readonly string[]): Unit {
  const unitName = parseUnitName(`${name}.service`);
  const file = parseUnitFile(`[X-Fleet]\n${options.join('\n')}\n`);
  const requirements = parseRequirements({ name: unitName, file });
  return { name: unitName, hash: '' as UnitHash, requirements, desiredState: 'launched', createdAt };
}

const global = (name: string, createdAt: number, ...options: readonly string[]) =>
  unit(name, createdAt, 'Global=true', ...options);

const table: readonly {
  says: string;
  globals: readonly Unit[];
  residents?: readonly Unit[];
  expected: string;
}[] = [
  { says: 'without globals nothing runs', globals: [], residents: [unit('db', 1)], expected: '' },
  {
    says: 'those run whose metadata rules the machine passes',
    globals: [
      global('a', 1, 'MachineMetadata=role=web'),
      global('b', 2, 'MachineMetadata=role=db'),
      global('c', 3, 'MachineMetadata=zone=1'),
      global('d', 4),
    ],
    expected: 'a d',
  },
  { says: 'a unit that is not global is none', globals: [unit('a', 1)], expected: '' },
  {
    says: 'of two that conflict the one made first runs',
    globals: [global('a', 2, 'Conflicts=b.service'), global('b', 1)],
    expected: 'b',
  },
  {
    says: 'it does not matter which of them names the other',
    globals: [global('a', 2), global('b', 1, 'Conflicts=a.service')],
    expected: 'b',
  },
  {
    says: 'what is made at once counts in the order of names',
    globals: [global('b', 1, 'Conflicts=*'), global('a', 1)],
    expected: 'a',
  },
  {
    says: 'one that does not run keeps nobody off',
    globals: [global('a', 1), global('b', 2, 'Conflicts=a.service'), global('c', 3, 'Conflicts=b.service')],
    expected: 'a c',
  },
  {
    says: 'one that does not fit keeps nobody off',
    globals: [global('a', 1, 'MachineMetadata=role=db', 'Conflicts=*'), global('b', 2)],
    expected: 'b',
  },
  { says: 'a global may conflict with everything but itself', globals: [global('a', 1, 'Conflicts=*')], expected: 'a' },
  {
    says: 'a resident that was made earlier keeps a global off',
    globals: [global('a', 2, 'Conflicts=db@*.service'), global('b', 3)],
    residents: [unit('db@1', 1)],
    expected: 'b',
  },
  {
    says: 'also if it is the resident that names the global',
    globals: [global('a', 2)],
    residents: [unit('db@1', 1, 'Conflicts=a.*')],
    expected: '',
  },
  {
    says: 'a resident that was made later does not',
    globals: [global('a', 2, 'Conflicts=db@*.service')],
    residents: [unit('db@1', 3, 'Conflicts=a.service')],
    expected: 'a',
  },
  {
    says: 'a global made at once with a resident goes by its name',
    globals: [global('a', 1, 'Conflicts=m.service'), global('z', 1, 'Conflicts=m.service')],
    residents: [unit('m', 1)],
    expected: 'a',
  },
  {
    says: 'a global that a resident keeps off keeps nobody off',
    globals: [global('a', 2, 'Conflicts=db.service'), global('b', 3, 'Conflicts=a.service')],
    residents: [unit('db', 1)],
    expected: 'b',
  },
];

for (const { says, globals, residents = [], expected } of table)
  test(says, () => {
    const running = globalsOn(machine, globals, residents);
    assert.equal(running.map(({ name }) => name.replace('.service', '')).join(' '), expected);
  });

test('a unit does not conflict with itself, and two do if either names the other', () => {
  const [all, quiet] = [unit('a', 1, 'Conflicts=*'), unit('b', 2)];
  assert.equal(conflicts(all, all), false);
  assert.equal(conflicts(all, quiet), true);
  assert.equal(conflicts(quiet, all), true);
  assert.equal(conflicts(quiet, unit('c', 3)), false);
});
