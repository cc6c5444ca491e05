import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRequirements } from './requirements.js';
import { parseUnitFileWithLines } from './unit-file.js';
import type { Requirements } from './unit-model.js';
import { parseUnitName } from './unit-name.js';

function requirements(section: string, name = 'web@1.service'): Requirements {
  const parsed = parseUnitFileWithLines(`[X-Fleet]\n${section}`);
  return parseRequirements({ name: parseUnitName(name), ...parsed, source: 'u' });
}

function refusedWith(section: string, message: string | RegExp, name?: string): void {
  assert.throws(() => requirements(section, name), { name: 'UnitError', code: 'invalid-requirements', message });
}

test('preferences of machines have a weight and a test', () => {
  const { preferMetadata } = requirements(
    'PreferMachineMetadata=100:disk=ssd\nPreferMachineMetadata="1000 : cores >= 8" "1:!spot"\nPreferMachineMetadata=5:slot=%i',
  );
  assert.deepEqual(preferMetadata, [
    { weight: 100, test: { op: '=', key: 'disk', value: 'ssd' } },
    { weight: 1000, test: { op: '>=', key: 'cores', value: 8 } },
    { weight: 1, test: { op: 'lacks', key: 'spot' } },
    { weight: 5, test: { op: '=', key: 'slot', value: '1' } },
  ]);
});

test('preferences that exclude each other are wishes like others', () => {
  assert.equal(requirements('PreferMachineMetadata="5:a" "5:!a"').preferMetadata.length, 2);
});

test('soft conflicts have a weight and a glob, separated like conflicts', () => {
  const { preferConflicts } = requirements('PreferConflicts=10:db*  20:%p@*.service\nPreferConflicts="1:[a-c]*" "2:x"');
  assert.deepEqual(preferConflicts, [
    { weight: 10, glob: 'db*' },
    { weight: 20, glob: 'web@*.service' },
    { weight: 1, glob: '[a-c]*' },
    { weight: 2, glob: 'x' },
  ]);
});

test('a preference that is none is refused', () => {
  const form = 'wants a weight from 1 to 1000, a colon and what it is for, like';
  const machine = `u:2: [X-Fleet] PreferMachineMetadata= ${form} PreferMachineMetadata=100:cores>=8, but has`;
  for (const text of ['disk=ssd', '0:disk=ssd', '1001:a', '1.5:a', ':a', '10:', '10', '', 'much:a', '1e2:a', '+1:a'])
    refusedWith(`PreferMachineMetadata=${text}`, `${machine} "${text}"`);
  refusedWith('PreferMachineMetadata=-5:a', /"-5:a"; a weight is never negative: prefer the opposite instead$/);
  refusedWith('PreferMachineMetadata=5:a==b', /^u:2: .* wants key=value or a test .* has "a==b"; did you mean a=b\?$/);
  refusedWith('PreferMachineMetadata=5:a>b', /compares with "b", which is not a number/);
  refusedWith('PreferMachineMetadata=5:a=b 6:c=d', /write one per line/);
  refusedWith(
    'PreferConflicts=db*',
    `u:2: [X-Fleet] PreferConflicts= ${form} PreferConflicts=100:db*.service, but has "db*"`,
  );
  refusedWith('PreferConflicts=10:db[', 'u:2: [X-Fleet] PreferConflicts= has a malformed glob: "db["');
});

test('instances are spread over the values of keys, each key once', () => {
  assert.deepEqual(requirements('SpreadOver=az\nSpreadOver="rack" "az"').spreadOver, ['az', 'rack']);
  assert.deepEqual(requirements('SpreadOver=az', 'web@.service').spreadOver, ['az']);
  refusedWith(
    'SpreadOver=az',
    'u:2: [X-Fleet] SpreadOver= evens out the instances of a template, and this unit is not one: name it like web@.service',
    'web.service',
  );
  refusedWith('SpreadOver=', 'u:2: [X-Fleet] SpreadOver= wants a key of metadata, like az, but has ""');
  refusedWith('SpreadOver=az=a', /wants a key of metadata, like az, but has "az=a"$/);
  refusedWith('SpreadOver=az rack', /has "az rack"; write one per line, or each in double quotes$/);
});

test('the last strategy counts, and each has to be one', () => {
  assert.equal(requirements('').strategy, undefined);
  for (const strategy of ['spread', 'binpack', 'random'])
    assert.equal(requirements(`Strategy=spread\nStrategy=${strategy}`).strategy, strategy);
  refusedWith(
    'Strategy=binpck',
    'u:2: [X-Fleet] Strategy= is none of spread, binpack, random: "binpck"; did you mean binpack?',
  );
  refusedWith('Strategy=Spread\nStrategy=spread', /^u:2: .*; did you mean spread\?$/);
  refusedWith('Strategy=fullest', /random: "fullest"$/);
  refusedWith('Strategy=', /random: ""$/);
});
