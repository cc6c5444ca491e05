import assert from 'node:assert/strict';
import { test } from 'node:test';
import { interruptedText, type PendingProgress, type Progress, progressLines } from './progress-lines.js';
import { createScreen } from './terminal.js';
import { TestTerminal } from './testing/test-terminal.js';

/** Units at the same: so many, why, and on which machines. */
type Group = readonly [count: number, why: string, on?: readonly string[]];

function progressOf(total: number, groups: readonly Group[], rest: Partial<Progress> = {}): Progress {
  const pending = new Map<string, PendingProgress>();
  for (const [count, why, on] of groups)
    for (let index = 0; index < count; index++)
      pending.set(`web@${pending.size + 1}.service`, {
        expectation: { name: '', goal: 'launched' },
        why,
        on: on && [on[index % on.length] ?? []].flat(),
      });
  return { pending, total, failed: 0, elapsedMs: 12_900, limitMs: 60_000, ...rest };
}

/** The first of them is to go. */
function mixed(progress: Progress): Progress {
  const pending = new Map(progress.pending);
  const [[name, first] = assert.fail('nothing is pending')] = pending;
  pending.set(name, { ...first, expectation: { name, goal: 'gone' } });
  return { ...progress, pending };
}

const starting: Group = [30, 'on a it is activating (start)', ['a', 'b', 'c']];
const noDb: Group = [8, 'no machine has role=db', []];
const cases: readonly (readonly [what: string, progress: Progress, lines: readonly string[]])[] = [
  [
    'one reason to wait is told with the counts',
    progressOf(100, [starting, noDb]),
    ['62 of 100 launched; 30 starting on 3 machines; 8 wait: no machine has role=db (12 s of 60 s)'],
  ],
  [
    'several reasons have lines of their own, the most frequent first',
    progressOf(50, [[2, 'conflicts', []], noDb, [1, 'frozen', []], [1, 'full', []], [1, 'away', []]], { failed: 3 }),
    [
      '34 of 50 launched, 3 failed; 13 wait (12 s of 60 s)',
      '  8: no machine has role=db',
      '  2: conflicts',
      '  1: frozen',
      '  and for 2 more reasons',
    ],
  ],
  [
    'few units are told of one by one',
    progressOf(5, [
      [1, 'on a it is activating', ['a']],
      [1, 'there is no machine', []],
    ]),
    [
      '3 of 5 launched; 1 starting on 1 machine; 1 wait (12 s of 60 s)',
      '  web@1.service: on a it is activating',
      '  web@2.service: there is no machine',
    ],
  ],
  [
    'a single unit needs no counts',
    progressOf(1, [[1, 'there is no machine', []]], { limitMs: Number.POSITIVE_INFINITY }),
    ['web@1.service: there is no machine (12 s)'],
  ],
  ['what is not known yet is on its way', progressOf(9, [[9, 'x']]), ['0 of 9 launched; 9 starting (12 s of 60 s)']],
  ['so is a single unit', progressOf(1, [[1, 'x']]), ['web@1.service: starting (12 s of 60 s)']],
  [
    'of units that come and units that go it is said that they are under way',
    mixed(progressOf(9, [[5, 'x']])),
    ['4 of 9 done; 5 under way (12 s of 60 s)'],
  ],
  ['the end of a wait has no progress', progressOf(9, []), []],
];
for (const [what, progress, lines] of cases)
  test(`progress: ${what}`, () => assert.deepEqual(progressLines(progress, 120), lines));

test('the first line of progress keeps its time however narrow the terminal is', () => {
  const [line = ''] = progressLines(progressOf(100, [starting, noDb]), 40);
  assert.equal([...line].length, 40);
  assert.match(line, /^62 of 100 launched; .*… \(12 s of 60 s\)$/);
});

test('Ctrl-C says what is not there yet, and that it goes on', () => {
  assert.equal(
    interruptedText(progressOf(100, [starting, noDb])),
    'Interrupted after 12 s: 38 of 100 units are not launched yet. What was asked for stands, and goes on by itself.',
  );
  assert.match(interruptedText(progressOf(1, [[1, 'x', []]])), /: web@1.service is not launched yet\. What/);
});

test('lines of progress are cut, and taken back also where the terminal has become narrower', async () => {
  const terminal = new TestTerminal(true);
  const screen = await createScreen(terminal);
  terminal.size = { columns: 13, rows: 24 };
  screen.progress('0123456789abc', 'second');
  assert.equal(terminal.take(), '012345678…\nsecond');
  terminal.size = { columns: 5, rows: 24 };
  screen.err('told');
  assert.equal(terminal.take(), '\r\x1b[3A\x1b[Jtold\n');
  screen.progress('go');
  assert.equal(terminal.take(), 'go');
});
