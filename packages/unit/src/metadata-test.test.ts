import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { passesMetadataTest, readMetadataTest } from './metadata-test.js';
import type { MetadataTest } from './unit-model.js';

function problemWith(text: string): string {
  const reading = readMetadataTest(text);
  return 'problem' in reading ? reading.problem : assert.fail(`"${text}" reads as ${JSON.stringify(reading.test)}`);
}

const spellings: readonly (readonly [string, MetadataTest])[] = [
  ['disk=ssd', { op: '=', key: 'disk', value: 'ssd' }],
  ['disk!=hdd', { op: '!=', key: 'disk', value: 'hdd' }],
  ['cores<8', { op: '<', key: 'cores', value: 8 }],
  ['cores<=8', { op: '<=', key: 'cores', value: 8 }],
  ['cores>8', { op: '>', key: 'cores', value: 8 }],
  ['cores >= 8', { op: '>=', key: 'cores', value: 8 }],
  ['temp>-2.5e1', { op: '>', key: 'temp', value: -25 }],
  ['gpu', { op: 'has', key: 'gpu' }],
  ['!spot', { op: 'lacks', key: 'spot' }],
  ['! spot', { op: 'lacks', key: 'spot' }],
  ['where = row 1', { op: '=', key: 'where', value: 'row 1' }],
  ['greeting=hi!', { op: '=', key: 'greeting', value: 'hi!' }],
  ['example.com/größe=XL', { op: '=', key: 'example.com/größe', value: 'XL' }],
];
for (const [text, expected] of spellings)
  test(`${text} is a test`, () => assert.deepEqual(readMetadataTest(text), { test: expected }));

test('what is no test is told with what may have been meant', () => {
  const nothing = 'wants key=value or a test like cores>=8, disk!=hdd, gpu or !spot, but has';
  for (const text of ['', '=b', 'a=', 'a!=', 'a<', '!', '!=b', '!a=b', '!!a', 'a=!b', 'a<b<c', 'a=b=c', 'a!b', 'a\n='])
    assert.ok(problemWith(text).startsWith(`${nothing} "${text}"`), text);
  assert.equal(problemWith('a==b'), `${nothing} "a==b"; did you mean a=b?`);
  assert.equal(problemWith('cores => 8'), `${nothing} "cores => 8"; did you mean cores>=8?`);
  assert.equal(problemWith('cores=<8'), `${nothing} "cores=<8"; did you mean cores<=8?`);
  assert.equal(problemWith('a<>b'), `${nothing} "a<>b"; did you mean a!=b?`);
  for (const text of ['a=b c=d', 'ssd gpu', 'a=b !c=d', 'ssd gpu=2'])
    assert.equal(problemWith(text), `${nothing} "${text}"; write one per line, or each in double quotes`);
  for (const value of ['8G', '0x10', 'Infinity', '1e999', 'many', '--1', '.', '1,5'])
    assert.equal(problemWith(`cores>=${value}`), `compares with "${value}", which is not a number: "cores>=${value}"`);
});

test('a machine passes by its value', () => {
  const verdicts: readonly (readonly [string, string | undefined, boolean])[] = [
    ['a=b', 'b', true],
    ['a=b', 'B', false],
    ['a=b', undefined, false],
    ['a!=b', 'c', true],
    ['a!=b', undefined, true],
    ['a!=b', 'b', false],
    ['a<8', '7.9', true],
    ['a<8', '8', false],
    ['a<=8', '8', true],
    ['a>8', '8', false],
    ['a>8', '10', true],
    ['a>=8', '8', true],
    ['a>=0', 'many', false],
    ['a>=0', '', false],
    ['a>=0', undefined, false],
    ['a', '', true],
    ['a', undefined, false],
    ['!a', undefined, true],
    ['!a', 'b', false],
  ];
  for (const [text, value, expected] of verdicts) {
    const reading = readMetadataTest(text);
    assert.ok('test' in reading);
    assert.equal(passesMetadataTest(value, reading.test), expected, `${text} with ${value}`);
  }
});

const key = fc.stringMatching(/^[^\s=!<>]{1,8}$/);
const word = fc.stringMatching(/^[^\s=!<>]([^=<>]{0,6}[^\s=<>])?$/);
const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
const plain = { noNullPrototype: true };
const anyTest: fc.Arbitrary<MetadataTest> = fc.oneof(
  fc.record({ op: fc.constantFrom('=' as const, '!=' as const), key, value: word }, plain),
  fc.record(
    { op: fc.constantFrom('<' as const, '<=' as const, '>' as const, '>=' as const), key, value: number },
    plain,
  ),
  fc.record({ op: fc.constantFrom('has' as const, 'lacks' as const), key }, plain),
);

test('a test that is written down reads back', () => {
  fc.assert(
    fc.property(anyTest, fc.constantFrom('', ' '), (given, blank) => {
      const text =
        'value' in given
          ? [given.key, given.op, given.value].join(blank)
          : `${given.op === 'lacks' ? '!' : ''}${given.key}`;
      assert.deepEqual(readMetadataTest(text), { test: given });
    }),
    { numRuns: 500 },
  );
});
