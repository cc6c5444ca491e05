import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRequirements } from './requirements.js';
import { parseUnitFileWithLines } from './unit-file.js';
import { parseUnitName } from './unit-name.js';

function isRolling(section: string, name = 'web@1.service'): boolean {
  const parsed = parseUnitFileWithLines(`[X-Fleet]\n${section}`);
  return parseRequirements({ name: parseUnitName(name), ...parsed, source: 'u' }).isRolling;
}

const accepted: readonly (readonly [says: string, section: string, expected: boolean, name?: string])[] = [
  ['all copies are replaced at once unless a unit says otherwise', 'Global=true', false],
  ['and if it says so', 'Update=at-once', false],
  ['an instance may be replaced in its turn', 'Update=rolling', true],
  ['so may a global unit', 'Global=true\nUpdate=rolling', true, 'logs.service'],
  ['a unit with one copy may say so', 'Update=rolling', true, 'web.service'],
  ['the last word counts', 'Update=rolling\nUpdate=at-once', false],
  ['whichever it is', 'Update=at-once\nUpdate=rolling', true],
  ['it goes with what a unit does when contact is lost', 'OnPartition=stop\nUpdate=rolling', true],
  ['an instance takes its name for the word', 'Update=%i', true, 'web@rolling.service'],
  ['a template may leave the word to its instances', 'Update=%i', false, 'web@.service'],
  ['a template has the word that its instances will have', 'Update=rolling', true, 'web@.service'],
];
for (const [says, section, expected, name] of accepted)
  test(says, () => assert.equal(isRolling(section, name), expected));

const refused: readonly (readonly [section: string, message: string])[] = [
  ['Update=roling', 'u:2: [X-Fleet] Update= is none of rolling, at-once: "roling"; did you mean rolling?'],
  ['Update=\nUpdate=rolling', 'u:2: [X-Fleet] Update= is none of rolling, at-once: ""'],
  [
    'Global=true\nUpdate=Rolling',
    'u:3: [X-Fleet] Update= is none of rolling, at-once: "Rolling"; did you mean rolling?',
  ],
  ['Update=2', 'u:2: [X-Fleet] Update= is none of rolling, at-once: "2"'],
  ['Updates=rolling', 'u:2: [X-Fleet] Updates= is not a known option; did you mean Update=?'],
  ['Update=%i', 'u:2: [X-Fleet] Update= is none of rolling, at-once: "1"'],
];
for (const [section, message] of refused)
  test(`${JSON.stringify(section)} is refused`, () =>
    assert.throws(() => isRolling(section), { name: 'UnitError', code: 'invalid-requirements', message }));
