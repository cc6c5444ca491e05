import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UnitError } from './errors.js';
import { passesMetadataTest } from './metadata-test.js';
import { parseRequirements } from './requirements.js';
import { parseUnitFileWithLines } from './unit-file.js';
import type { Requirements } from './unit-model.js';
import { parseUnitName } from './unit-name.js';

const name = parseUnitName('foo.service');

function requirements(items: readonly string[]): Requirements {
  const lines = items.map((item) => `MachineMetadata=${item}\n`);
  const parsed = parseUnitFileWithLines(`[X-Fleet]\n${lines.join('')}`);
  return parseRequirements({ name, ...parsed, source: 'u' });
}

test('equalities are values by key, everything else is a list of tests', () => {
  const { metadata, metadataTests } = requirements(['"az=a" "cores>=8"', 'az=b', '!spot', 'disk!=hdd', 'gpu']);
  assert.deepEqual(metadata, new Map([['az', ['a', 'b']]]));
  assert.deepEqual(metadataTests, [
    { op: '>=', key: 'cores', value: 8 },
    { op: 'lacks', key: 'spot' },
    { op: '!=', key: 'disk', value: 'hdd' },
    { op: 'has', key: 'gpu' },
  ]);
});

test('what is no test is refused at its line', () => {
  for (const [item, problem] of [
    ['a=b c=d', 'wants key=value or a test like cores>=8, disk!=hdd, gpu or !spot, but has "a=b c=d"; write one per'],
    ['"a=b" ""', 'wants key=value or a test like cores>=8, disk!=hdd, gpu or !spot, but has ""'],
    ['cores>=many', 'compares with "many", which is not a number: "cores>=many"'],
  ] as const)
    assert.throws(
      () => requirements(['a=b', item]),
      (error) => error instanceof UnitError && error.line === 3 && error.problem.startsWith(problem),
      item,
    );
});

const contradictions: readonly (readonly string[])[] = [
  ['k=v', '!k'],
  ['!k', 'k=v'],
  ['k', '!k'],
  ['k>1', '!k'],
  ['k=v', 'k!=v'],
  ['k>5', 'k<5'],
  ['k>=5', 'k<5'],
  ['k>5', 'k<=5'],
  ['k>6', 'k>=2', 'k<7', 'k<5'],
  ['k=v', 'k>5'],
  ['k=3', 'k=9', 'k>3', 'k<9'],
  ['k=3', 'k=v', 'k!=3', 'k!=v'],
];
for (const items of contradictions)
  test(`no machine passes ${items.join(' and ')}: it is refused`, () => {
    assert.throws(
      () => requirements(items),
      /MachineMetadata= can't be fulfilled: no machine passes both "[^"]+" and "/,
    );
  });

test('the later of two that exclude each other is named', () => {
  assert.throws(() => requirements(['x', 'k<5', 'other', 'k>=5']), {
    message: `u:5: [X-Fleet] MachineMetadata= can't be fulfilled: no machine passes both "k<5" and "k>=5"`,
    line: 5,
  });
});

test('what some machine passes is taken', () => {
  for (const items of [
    ['k=v', 'k=w', 'k!=v'],
    ['k=3', 'k=9', 'k>3'],
    ['k>=5', 'k<=5'],
    ['k>4', 'k<5', 'k!=4.5'],
    ['!k', 'k!=v', '!k'],
    ['k', 'k!=v'],
    ['a=b', '!k', 'k2'],
  ])
    requirements(items);
});

const value = fc.constantFrom('0', '1', '2', 'v', 'w');
const number = fc.integer({ min: 0, max: 3 });
const item = fc.oneof(
  fc.tuple(fc.constantFrom('k=', 'k!='), value),
  fc.tuple(fc.constantFrom('k<', 'k<=', 'k>', 'k>='), number),
  fc.tuple(fc.constantFrom('k', '!k')),
);
/** Every value that a test here can tell from another one, and those between and beside them: "0.0" is 0, and not "0". */
const numbers = [-1, 0, 0.5, 1, 1.5, 2, 2.5, 3, 4].map(String);
const candidates = [undefined, 'other', 'v', 'w', ...numbers, ...['0.0', '1.0', '2.0', '3.0']];

test('tests are refused together exactly if no machine passes them all', () => {
  const seen = { refused: 0, taken: 0 };
  fc.assert(
    fc.property(fc.array(item, { maxLength: 4 }), (parts) => {
      const items = parts.map((part) => part.join(''));
      let found: Requirements | undefined;
      try {
        found = requirements(items);
      } catch (error) {
        if (!(error instanceof UnitError)) throw error;
      }
      if (found === undefined) seen.refused++;
      else seen.taken++;
      const single = items.map((text) => requirements([text]));
      const accepted = single.flatMap(({ metadata }) => metadata.get('k') ?? []);
      const tests = single.flatMap(({ metadataTests }) => metadataTests);
      const isPossible = candidates.some(
        (candidate) =>
          (accepted.length === 0 || (candidate !== undefined && accepted.includes(candidate))) &&
          tests.every((each) => passesMetadataTest(candidate, each)),
      );
      assert.equal(found !== undefined, isPossible, items.join(' '));
    }),
    { numRuns: 1000 },
  );
  assert.ok(seen.refused > 100 && seen.taken > 100, JSON.stringify(seen));
});
