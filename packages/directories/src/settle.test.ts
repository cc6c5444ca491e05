import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FolderEntry } from '@flotilla/folder';
import { expectEntries, type Settled, type Settling, settle } from './settle.js';

/** `name:text`, or `name:!` for what can't be read. A bar in the text stands for the end of a line. */
function entry(word: string): FolderEntry {
  const [name = '', text = ''] = word.split(':');
  const content =
    text === '!'
      ? ({ kind: 'unreadable', message: 'cannot be read' } as const)
      : new TextEncoder().encode(text.replaceAll('|', '\n'));
  return { name, content, signature: '' };
}

interface Step {
  readonly atMs: number;
  readonly sees: string;
  readonly counts: string;
}

/** Looks, one after the other, and what the folder counts as after each. */
function followSteps(steps: readonly Step[], expected: readonly string[] = []): Settled | undefined {
  let settling: Settling = expectEntries(expected);
  let settled: Settled | undefined;
  for (const { atMs, sees, counts } of steps) {
    settled = settle(settling, { entries: sees.split(' ').filter(Boolean).map(entry), nowMs: atMs });
    settling = settled.settling;
    assert.equal(shown(settled), counts, `at ${atMs} ms, seeing ${sees}`);
  }
  return settled;
}

function shown({ entries, unknown }: Settled): string {
  const known = entries.map(({ name, content }) => {
    const text = content instanceof Uint8Array ? new TextDecoder().decode(content).replaceAll('\n', '|') : '!';
    return `${name}:${text}`;
  });
  return [...known, ...[...unknown].map((name) => `${name}?`)].join(' ');
}

const tables: Readonly<Record<string, readonly Step[]>> = {
  'a new file counts when two looks have seen the same, half a second apart': [
    { atMs: 0, sees: 'a:1|', counts: '' },
    { atMs: 499, sees: 'a:1|', counts: '' },
    { atMs: 500, sees: 'a:1|', counts: 'a:1|' },
  ],
  'a file that goes on changing counts as it was': [
    { atMs: 0, sees: 'a:1|', counts: '' },
    { atMs: 500, sees: 'a:1|', counts: 'a:1|' },
    { atMs: 1_000, sees: 'a:2|', counts: 'a:1|' },
    { atMs: 1_400, sees: 'a:23|', counts: 'a:1|' },
    { atMs: 1_800, sees: 'a:234|', counts: 'a:1|' },
    { atMs: 2_300, sees: 'a:234|', counts: 'a:234|' },
  ],
  'a file that ends within a line, or is empty, has 3 seconds': [
    { atMs: 0, sees: 'a:1 b:', counts: '' },
    { atMs: 2_999, sees: 'a:1 b:', counts: '' },
    { atMs: 3_000, sees: 'a:1 b:', counts: 'a:1 b:' },
  ],
  'a file that is truncated and written anew never counts as empty': [
    { atMs: 0, sees: 'a:1|', counts: '' },
    { atMs: 500, sees: 'a:1|', counts: 'a:1|' },
    { atMs: 600, sees: 'a:', counts: 'a:1|' },
    { atMs: 2_600, sees: 'a:2', counts: 'a:1|' },
    { atMs: 5_500, sees: 'a:2|', counts: 'a:1|' },
    { atMs: 6_000, sees: 'a:2|', counts: 'a:2|' },
  ],
  'a file that is gone counts for one second more': [
    { atMs: 0, sees: 'a:1|', counts: '' },
    { atMs: 500, sees: 'a:1|', counts: 'a:1|' },
    { atMs: 600, sees: '', counts: 'a:1|' },
    { atMs: 1_599, sees: '', counts: 'a:1|' },
    { atMs: 1_600, sees: '', counts: '' },
  ],
  'a file that is put there anew in between was never gone': [
    { atMs: 0, sees: 'a:1|', counts: '' },
    { atMs: 500, sees: 'a:1|', counts: 'a:1|' },
    { atMs: 600, sees: '', counts: 'a:1|' },
    { atMs: 1_500, sees: 'a:1|', counts: 'a:1|' },
    { atMs: 1_600, sees: '', counts: 'a:1|' },
    { atMs: 2_599, sees: '', counts: 'a:1|' },
  ],
  'what is renamed goes and comes at once': [
    { atMs: 0, sees: 'a:1|', counts: '' },
    { atMs: 500, sees: 'a:1|', counts: 'a:1|' },
    { atMs: 600, sees: 'b:1|', counts: 'a:1|' },
    { atMs: 1_100, sees: 'b:1|', counts: 'a:1|' },
    { atMs: 1_600, sees: 'b:1|', counts: 'b:1|' },
  ],
  'what is at rest waits for others, not for ever': [
    { atMs: 0, sees: 'a:1|', counts: '' },
    { atMs: 400, sees: 'a:1| b:1', counts: '' },
    { atMs: 800, sees: 'a:1| b:2', counts: '' },
    { atMs: 3_499, sees: 'a:1| b:3', counts: '' },
    { atMs: 3_500, sees: 'a:1| b:4', counts: 'a:1|' },
  ],
  'what is gone waits longer for others: what it held may be on its way into them': [
    { atMs: 0, sees: 'a:1|', counts: '' },
    { atMs: 500, sees: 'a:1|', counts: 'a:1|' },
    { atMs: 600, sees: 'b:1', counts: 'a:1|' },
    { atMs: 5_000, sees: 'b:2', counts: 'a:1|' },
    { atMs: 30_599, sees: 'b:3', counts: 'a:1|' },
    { atMs: 30_600, sees: 'b:4', counts: '' },
  ],
  'what can’t be read for a moment counts as it was': [
    { atMs: 0, sees: 'a:1|', counts: '' },
    { atMs: 500, sees: 'a:1|', counts: 'a:1|' },
    { atMs: 600, sees: 'a:!', counts: 'a:1|' },
    { atMs: 1_599, sees: 'a:!', counts: 'a:1|' },
    { atMs: 1_600, sees: 'a:!', counts: 'a:!' },
  ],
};

for (const [name, steps] of Object.entries(tables)) test(name, () => void followSteps(steps));

test('of what was there before, nothing is known until it is settled', () => {
  followSteps(
    [
      { atMs: 0, sees: 'a:1|', counts: 'a? b?' },
      { atMs: 999, sees: 'a:1|', counts: 'a? b?' },
      { atMs: 1_000, sees: 'a:1|', counts: 'a:1|' },
    ],
    ['a', 'b'],
  );
});

test('it says when to look again, and what is new', () => {
  const first = settle(new Map(), { entries: [entry('a:1|')], nowMs: 100 });
  assert.deepEqual([first.dueMs, first.isNews], [600, false]);
  const second = settle(first.settling, { entries: [entry('a:1|')], nowMs: 600 });
  assert.deepEqual([second.dueMs, second.isNews], [undefined, true]);
  const third = settle(second.settling, { entries: [entry('a:1|')], nowMs: 700 });
  assert.deepEqual([third.dueMs, third.isNews], [undefined, false]);
});

test('an entry that comes and goes leaves nothing behind', () => {
  const settled = followSteps([
    { atMs: 0, sees: 'a:1|', counts: '' },
    { atMs: 500, sees: 'a:1|', counts: 'a:1|' },
    { atMs: 600, sees: '', counts: 'a:1|' },
    { atMs: 1_600, sees: '', counts: '' },
  ]);
  assert.equal(settled?.settling.size, 0);
});
