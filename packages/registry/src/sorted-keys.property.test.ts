import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { SortedKeys } from './sorted-keys.js';

/** Enough names to fill several chunks, few enough to meet again. */
const name = fc.integer({ min: 0, max: 3_000 }).map(String);
const change = fc.record({ kind: fc.constantFrom('add', 'add', 'delete'), key: name });

it('SortedKeys walks what a sorted set would, from any point to any other', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 3_000, size: 'max' }), name, name, (changes, from, to) => {
      const keys = new SortedKeys();
      const expected = new Set<string>();
      for (const { kind, key } of changes) {
        if (kind === 'add') {
          keys.add(key);
          expected.add(key);
        } else {
          keys.delete(key);
          expected.delete(key);
        }
      }
      const between = [...expected].filter((key) => key >= from && key < to).sort();
      assert.deepEqual([...keys.between(from, to)], between);
      assert.deepEqual([...keys.between('', '~')], [...expected].sort());
    }),
    { numRuns: 30 },
  );
});
