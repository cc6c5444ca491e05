import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UsageError } from './errors.js';
import { expandRanges, matchesArgument, parseUnitArguments } from './unit-arguments.js';

const ranges = [
  ['web', ['web']],
  ['web@{1..3}', ['web@1', 'web@2', 'web@3']],
  ['web@{3..1}.service', ['web@3.service', 'web@2.service', 'web@1.service']],
  ['web@{08..10}', ['web@08', 'web@09', 'web@10']],
  ['web@{1..7..3}', ['web@1', 'web@4', 'web@7']],
  ['web@{-1..1}', ['web@-1', 'web@0', 'web@1']],
  ['{1..2}-{1..2}', ['1-1', '1-2', '2-1', '2-2']],
  ['web@{1,2}', ['web@{1,2}']],
  ['web@{1..}', ['web@{1..}']],
] as const;

for (const [text, expanded] of ranges)
  test(`${text} is ${expanded.length} word(s)`, () => assert.deepEqual(expandRanges(text), expanded));

test('a range has as many words as numbers, all different, in order', () => {
  const bound = fc.integer({ min: -300, max: 300 });
  fc.assert(
    fc.property(bound, bound, (first, last) => {
      const words = expandRanges(`a{${first}..${last}}b`);
      assert.equal(words.length, Math.abs(last - first) + 1);
      assert.equal(new Set(words).size, words.length);
      assert.equal(words[0], `a${first}b`);
      assert.equal(words.at(-1), `a${last}b`);
    }),
  );
});

test('a name is the last part of a path, with a type; the file lies in the folder of the argument', () => {
  assert.deepEqual(parseUnitArguments(['units/web', '/etc/x.timer', 'web@1', 'a.b']), [
    { kind: 'name', name: 'web.service', path: 'units/web.service' },
    { kind: 'name', name: 'x.timer', path: '/etc/x.timer' },
    { kind: 'name', name: 'web@1.service', path: 'web@1.service' },
    { kind: 'name', name: 'a.b.service', path: 'a.b.service' },
  ]);
});

test('a unit that is named twice is taken once', () => {
  assert.equal(parseUnitArguments(['web', 'web.service', 'web@{1..2}', 'web@1']).length, 3);
});

test('a pattern without a type means services', () => {
  const [pattern, any] = parseUnitArguments(['web@*', '*.*']);
  assert.ok(pattern && any);
  assert.ok(matchesArgument(pattern, 'web@1.service'));
  assert.ok(!matchesArgument(pattern, 'web@1.timer'));
  assert.ok(matchesArgument(any, 'web@1.timer'));
});

for (const text of ['', 'foo bar', '@1', 'web[', 'web@{1..99999999}', 'a/b@{1..9999}{1..9999}'])
  test(`"${text}" is refused`, () => assert.throws(() => parseUnitArguments([text]), UsageError));

test('no unit at all is refused', () => assert.throws(() => parseUnitArguments([]), { message: 'No units given' }));
