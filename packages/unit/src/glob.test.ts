import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileGlob, isGlob, matchGlob } from './glob.js';

const rows: readonly (readonly [string, string, boolean | 'malformed'])[] = [
  ['web.service', 'web.service', true],
  ['web.service', 'web.servicee', false],
  ['', '', true],
  ['', 'a', false],
  ['*', '', true],
  ['*', '.hidden', true],
  ['*', 'a/b', false],
  ['**', 'a/b', false],
  ['a*/b', 'abc/b', true],
  ['a*/b', 'a/c/b', false],
  ['*b', 'abab', true],
  ['a*a*b', 'aaab', true],
  ['web@*.service', 'web@1.service', true],
  ['web@*.service', 'web.service', false],
  ['?', '/', false],
  ['?', 'é', true],
  ['a?c', 'abc', true],
  ['??', 'a', false],
  ['[a-c]x', 'bx', true],
  ['[^a-c]x', 'bx', false],
  ['[^a]', '/', true],
  ['[!a]', '!', true],
  ['[!a]', 'b', false],
  ['[z-a]', 'm', false],
  ['[a-c-e]', 'd', 'malformed'],
  ['[\\-x]', '-', true],
  ['[\\]a]', ']', true],
  ['[a\\-z]', 'm', false],
  ['[a*]', '*', true],
  ['\\*', '*', true],
  ['\\*', 'a', false],
  ['{a,b}', 'a', false],
  ['{a,b}', '{a,b}', true],
  ['!(x)', '!(x)', true],
  ['(a)', '(a)', true],
  ['[[:alpha:]]', ':]', true],
  ['[[:alpha:]]', 'b', false],
  ['a]', 'a]', true],
  ['*[^a]*b', 'x/yb', false],
  ['foo[', 'foo[', 'malformed'],
  ['[]a]', ']', 'malformed'],
  ['[^]a]', ']', 'malformed'],
  ['[a-', 'a', 'malformed'],
  ['[a-]', 'a', 'malformed'],
  ['[-x]', '-', 'malformed'],
  ['[x-]', 'x', 'malformed'],
  ['[]', 'a', 'malformed'],
  ['[', 'a', 'malformed'],
  ['[^', 'a', 'malformed'],
  ['[\\', 'a', 'malformed'],
  ['a\\', 'a', 'malformed'],
  ['zzz[', 'a', 'malformed'],
  ['*x[', 'a', 'malformed'],
];
for (const [pattern, name, expected] of rows) {
  test(`glob ${JSON.stringify(pattern)} on ${JSON.stringify(name)}: ${expected}`, () => {
    assert.equal(isGlob(pattern), expected !== 'malformed');
    assert.equal(matchGlob(pattern, name), expected === true);
    assert.equal(compileGlob(pattern)?.(name), expected === 'malformed' ? undefined : expected);
  });
}

/** Parts of patterns, each with the regular expression that means the same on names without a slash. */
const parts: readonly (readonly [string, string])[] = [
  ['*', '[^/]*'],
  ['?', '[^/]'],
  ['[ab]', '[ab]'],
  ['[^b-d]', '[^b-d]'],
  ['[a\\]-_]', '[a\\]-_]'],
  ['\\*', '\\*'],
  ['a', 'a'],
  ['b', 'b'],
  ['.', '\\.'],
  ['@', '@'],
];

test('globs agree with regular expressions on names without a slash', () => {
  const pattern = fc.array(fc.constantFrom(...parts), { maxLength: 8 });
  const name = fc.string({ unit: fc.constantFrom('a', 'b', '.', '@', '*', ']', 'é'), maxLength: 10 });
  let matches = 0;
  fc.assert(
    fc.property(pattern, name, (list, text) => {
      const expected = new RegExp(`^${list.map(([, source]) => source).join('')}$`, 'su').test(text);
      matches += expected ? 1 : 0;
      assert.equal(matchGlob(list.map(([glob]) => glob).join(''), text), expected);
    }),
    { numRuns: 3000 },
  );
  assert.ok(matches > 50, `only ${matches} cases matched`);
});

test('globs with at most one star are what they are when they are taken apart', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '/', 'é', '😀', '\ud83d'), maxLength: 3 });
  let matches = 0;
  fc.assert(
    fc.property(letters, fc.constantFrom('', '*'), letters, letters, (start, star, end, between) => {
      // A class of one letter means that letter, and is always taken apart.
      const apart = (text: string) => Array.from(text, (char) => `[${char}]`).join('');
      for (const name of [between, `${start}${between}${end}`, `${start}${end}`]) {
        const expected = matchGlob(`${apart(start)}${star}${apart(end)}`, name);
        matches += expected ? 1 : 0;
        assert.equal(matchGlob(`${start}${star}${end}`, name), expected, name);
      }
    }),
    { numRuns: 2000 },
  );
  assert.ok(matches > 500, `only ${matches} cases matched`);
});

test('any pattern is well formed or not, and never throws', () => {
  const pattern = fc.string({ unit: fc.constantFrom('[', ']', '^', '-', '\\', '*', '?', 'a', 'é') });
  fc.assert(
    fc.property(fc.oneof(pattern, fc.string({ unit: 'binary' })), fc.string(), (glob, name) => {
      assert.equal(compileGlob(glob) === undefined, !isGlob(glob));
      if (!isGlob(glob)) assert.equal(matchGlob(glob, name), false);
    }),
    { numRuns: 1000 },
  );
});
