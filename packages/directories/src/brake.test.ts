import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseUnitName, type UnitName } from '@flotilla/unit';
import { type Braked, brake, type DirectoryMemory, digestOf, noMemory, type Weighed } from './brake.js';

const here = '1:1';
const elsewhere = '2:2';

interface Case {
  /** Letters: one unit each. */
  readonly claims: string;
  readonly gone: string;
  readonly unsettled?: string;
  readonly broken?: string;
  readonly place?: Weighed['place'];
  readonly isSettled?: boolean;
  readonly isOlderCopy?: boolean;
  readonly memory?: Partial<DirectoryMemory>;
  readonly nowMs?: number;
}

function weigh({
  claims,
  gone,
  unsettled = '',
  broken = '',
  place = here,
  isSettled = true,
  isOlderCopy = false,
  memory = {},
  nowMs = 1_000_000,
}: Case): Braked {
  const known = { ...noMemory, place: here, ...memory };
  return brake(known, {
    claims: new Map(units(claims).map((name) => [name, {}])),
    gone: units(gone),
    unsettled: units(unsettled),
    broken: units(broken),
    place,
    isSettled,
    isOlderCopy,
    nowMs,
  });
}

function units(letters: string): readonly UnitName[] {
  return [...letters].map((letter) => parseUnitName(`${letter}.service`));
}

function letters(names: readonly UnitName[]): string {
  return names.map((name) => name.slice(0, 1)).join('');
}

function shown({ drops, held }: Braked): string {
  return `${letters(drops)}/${held === undefined ? '' : `${held.why} ${letters(held.units)}`}`;
}

const removedBefore = (names: string, agoMs: number) => ({
  removed: new Map(units(names).map((name) => [name, 1_000_000 - agoMs])),
});
const heldBefore = (names: string) => ({ held: { why: 'most-gone' as const, units: units(names) } });

const table: Readonly<Record<string, readonly [Case, string]>> = {
  'nothing gone': [{ claims: 'abcd', gone: '' }, '/'],
  'half of four go': [{ claims: 'abcd', gone: 'ab' }, 'ab/'],
  'three of four stay': [{ claims: 'abcd', gone: 'abc' }, '/most-gone abc'],
  'all of three go': [{ claims: 'abc', gone: 'abc' }, 'abc/'],
  'what went within a minute counts': [
    { claims: 'cdef', gone: 'cd', memory: removedBefore('ab', 59_999) },
    '/most-gone cd',
  ],
  'what went before does not': [{ claims: 'cdef', gone: 'cd', memory: removedBefore('ab', 60_000) }, 'cd/'],
  'what went and came back does not': [{ claims: 'abcdef', gone: 'ab', memory: removedBefore('ab', 1_000) }, 'ab/'],
  'nor what the clock says is to come': [{ claims: 'cdef', gone: 'cd', memory: removedBefore('ab', -60_000) }, 'cd/'],
  'a directory that is gone': [{ claims: 'a', gone: 'a', place: { why: 'directory-gone' } }, '/directory-gone a'],
  'one that is not configured any more': [
    { claims: 'a', gone: 'a', place: { why: 'not-configured' } },
    '/not-configured a',
  ],
  'another directory that has nothing of it': [{ claims: 'a', gone: 'a', place: elsewhere }, '/another-directory a'],
  'another directory that has something of it': [{ claims: 'ab', gone: 'a', place: elsewhere }, 'a/'],
  'a first directory': [{ claims: 'a', gone: 'a', place: elsewhere, memory: { place: undefined } }, 'a/'],
  'an older copy': [{ claims: 'abcdef', gone: 'a', isOlderCopy: true }, '/older-copy a'],
  'an older copy of which not all is settled': [
    { claims: 'abcdef', gone: 'a', unsettled: 'b', isOlderCopy: true },
    '/older-copy ab',
  ],
  'what is held stays held, although there is no more reason': [
    { claims: 'abcdef', gone: 'ab', memory: heldBefore('ab') },
    '/most-gone ab',
  ],
  'others go meanwhile': [{ claims: 'abcdefgh', gone: 'ab', memory: heldBefore('a') }, 'b/most-gone a'],
  'what is there again is not held any more': [{ claims: 'abcd', gone: '', memory: heldBefore('abc') }, '/'],
  'what is held and not settled yet stays held': [
    { claims: 'abcdef', gone: 'b', unsettled: 'ac', memory: heldBefore('ab') },
    '/most-gone ab',
  ],
  'another directory of which nothing is known yet': [
    { claims: 'ab', gone: 'a', unsettled: 'b', place: elsewhere },
    '/another-directory a',
  ],
  'what is held and there again, but broken, is not held': [
    { claims: 'abcdef', gone: 'b', broken: 'ac', memory: heldBefore('ab') },
    '/most-gone b',
  ],
  'another directory that has a broken one of it': [{ claims: 'ab', gone: 'a', broken: 'b', place: elsewhere }, 'a/'],
  'what is confirmed goes': [{ claims: 'abcd', gone: 'abc', memory: { confirmed: units('abc') } }, 'abc/'],
  'what is gone besides is weighed without it': [
    { claims: 'abcdefg', gone: 'abcd', memory: { confirmed: units('abc') } },
    'abcd/',
  ],
  'confirmed of a directory that is gone': [
    { claims: 'ab', gone: 'ab', place: { why: 'directory-gone' }, memory: { confirmed: units('a') } },
    'a/directory-gone b',
  ],
};

for (const [name, [given, expected]] of Object.entries(table))
  test(`the brake: ${name}`, () => assert.equal(shown(weigh(given)), expected));

test('what was held because there was no directory is weighed anew when there is one', () => {
  const away = weigh({ claims: 'abcde', gone: 'abcde', place: { why: 'directory-gone' } });
  assert.equal(away.memory.held, undefined);
  assert.equal(shown(weigh({ claims: 'abcde', gone: 'a', memory: away.memory })), 'a/');
});

test('what was held before the directory went is held when it is back', () => {
  const before = weigh({ claims: 'abcd', gone: 'abc' });
  const away = weigh({ claims: 'abcd', gone: 'abcd', memory: before.memory, place: { why: 'directory-gone' } });
  assert.equal(shown(away), '/directory-gone abcd');
  assert.equal(shown(weigh({ claims: 'abcd', gone: 'c', memory: away.memory })), '/most-gone c');
});

test('what was held and is broken now is held again when it goes', () => {
  const broken = weigh({ claims: 'abcdef', gone: '', broken: 'a', memory: heldBefore('a') });
  assert.equal(shown(broken), '/');
  assert.equal(shown(weigh({ claims: 'abcdef', gone: 'a', memory: broken.memory })), '/most-gone a');
  assert.equal(weigh({ claims: 'abcdef', gone: '', memory: broken.memory }).memory.held, undefined);
});

test('a place is remembered, but not one that has nothing of it', () => {
  assert.equal(weigh({ claims: 'a', gone: '', place: elsewhere }).memory.place, elsewhere);
  assert.equal(weigh({ claims: 'a', gone: 'a', place: elsewhere }).memory.place, here);
  assert.equal(weigh({ claims: 'a', gone: '', unsettled: 'a', place: elsewhere }).memory.place, here);
  assert.equal(weigh({ claims: '', gone: '', place: elsewhere }).memory.place, elsewhere);
  assert.equal(weigh({ claims: 'a', gone: '', place: elsewhere, isSettled: false }).memory.place, here);
});

test('what goes is remembered for a minute, unless it was confirmed; a confirmation ends with what it was for', () => {
  const { memory } = weigh({ claims: 'abcdefgh', gone: 'ab', memory: { confirmed: units('ax') } });
  assert.deepEqual([...memory.removed.keys()], units('b'));
  assert.deepEqual(memory.confirmed, units('a'));
});

test('a digest is of exactly the units that are held back', () => {
  assert.match(digestOf(units('ab')), /^[0-9a-f]{16}$/);
  assert.notEqual(digestOf(units('ab')), digestOf(units('abc')));
});
