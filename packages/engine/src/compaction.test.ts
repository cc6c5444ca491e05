import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type CompactionStep, type CompactionView, compactionStep } from './compaction.js';

const hourMs = 3_600_000;
const mark = { revision: 1_000, at: 10 * hourMs };

describe('compactionStep', () => {
  const rows: readonly [string, CompactionView, CompactionStep][] = [
    ['a store with little in it is left alone', { mark: undefined, revision: 499, nowMs: 0 }, { kind: 'wait' }],
    ['the first mark', { mark: undefined, revision: 500, nowMs: 0 }, { kind: 'mark' }],
    ['a mark that is not old enough', { mark, revision: 9_000, nowMs: 11 * hourMs - 1 }, { kind: 'wait' }],
    ['a mark that is', { mark, revision: 9_000, nowMs: 11 * hourMs }, { kind: 'compact', revision: 1_000 }],
    ['hardly anything has happened since', { mark, revision: 1_499, nowMs: 99 * hourMs }, { kind: 'wait' }],
    ['just enough has', { mark, revision: 1_500, nowMs: 99 * hourMs }, { kind: 'compact', revision: 1_000 }],
    ['a mark of another store', { mark, revision: 999, nowMs: 99 * hourMs }, { kind: 'mark' }],
    ['a mark from the future', { mark, revision: 9_000, nowMs: 9 * hourMs }, { kind: 'mark' }],
  ];
  for (const [name, view, expected] of rows) it(name, () => assert.deepEqual(compactionStep(view), expected));
});
