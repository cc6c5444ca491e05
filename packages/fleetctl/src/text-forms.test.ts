import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Columns } from './columns.js';
import { findDurationMs, formatDuration } from './duration.js';
import { worstOutcome } from './exit-codes.js';
import { waitLimitMs } from './wait-flags.js';

const formatColumns = (rows: readonly (readonly string[])[]) =>
  new Columns()
    .lines(rows.map((row) => row.map((text) => ({ text }))))
    .map((line) => `${line}\n`)
    .join('');

test('columns stand at tab stops', () => {
  assert.equal(
    formatColumns([
      ['MACHINE', 'IP', 'METADATA'],
      ['12345678...', '-', '-'],
    ]),
    'MACHINE\t\tIP\tMETADATA\n12345678...\t-\t-\n',
  );
  assert.equal(
    formatColumns([
      ['A', 'B'],
      ['1234567', 'x'],
      ['é', 'y'],
    ]),
    'A\tB\n1234567\tx\né\ty\n',
  );
  assert.equal(
    formatColumns([
      ['A', 'B'],
      ['12345678', 'x'],
    ]),
    'A\t\tB\n12345678\tx\n',
  );
});

test('every column starts in the same place in all rows', () => {
  const cell = fc.string({ unit: fc.constantFrom('a', 'é', '-'), minLength: 1, maxLength: 30 });
  const table = fc
    .integer({ min: 1, max: 5 })
    .chain((width) => fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1 }));
  fc.assert(
    fc.property(table, (rows) => {
      const lines = formatColumns(rows).trimEnd().split('\n');
      const starts = new Set(lines.map((line) => JSON.stringify(columnStarts(line))));
      assert.equal(starts.size, 1);
      assert.deepEqual(
        lines.map((line) => line.split(/\t+/)),
        rows,
      );
    }),
  );
});

function columnStarts(line: string): number[] {
  const starts: number[] = [];
  let column = 0;
  let isAfterTab = true;
  for (const char of line) {
    if (char !== '\t' && isAfterTab) starts.push(column);
    isAfterTab = char === '\t';
    column = isAfterTab ? (Math.floor(column / 8) + 1) * 8 : column + 1;
  }
  return starts;
}

const durations = [
  ['60s', 60_000],
  ['1.5m', 90_000],
  ['500ms', 500],
  ['1h30m', 5_400_000],
  ['90', 90_000],
  ['0', 0],
  ['', undefined],
  ['ten', undefined],
  ['-1s', undefined],
  ['1s2', undefined],
] as const;
for (const [text, ms] of durations) test(`"${text}" is ${ms} ms`, () => assert.equal(findDurationMs(text), ms));

test('a duration reads well', () => {
  assert.equal(formatDuration(60_000), '60 s');
  assert.equal(formatDuration(1500), '1.5 s');
});

test('the wait is a minute, or what is asked for', () => {
  assert.equal(waitLimitMs({ block: true }), 60_000);
  assert.equal(waitLimitMs({ block: true, wait: 5 }), 5);
  assert.equal(waitLimitMs({ block: true, blockAttempts: 3 }), 6000);
  assert.equal(waitLimitMs({ block: true, blockAttempts: 0 }), Number.POSITIVE_INFINITY);
  assert.equal(waitLimitMs({ block: false, wait: 5 }), undefined);
  assert.throws(() => waitLimitMs({ block: true, wait: 5, blockAttempts: 1 }), { code: 'usage' });
});

test('the worst outcome decides', () => {
  assert.equal(worstOutcome(['done', 'pending', 'failed']), 'failed');
  assert.equal(worstOutcome(['done', 'pending']), 'pending');
  assert.equal(worstOutcome([]), 'done');
});
