import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseUnitName, type UnitName } from '@flotilla/unit';
import fc from 'fast-check';
import { type BatchOutcome, largestBatch, runBatches } from './batches.js';

const names = (count: number) => Array.from({ length: count }, (_, index) => parseUnitName(`u${index}.service`));
const done: BatchOutcome = { kind: 'done', failures: new Map() };

test('many units are split, none is left out', async () => {
  const sizes: number[] = [];
  await runBatches(names(largestBatch * 2 + 1), async (batch) => {
    sizes.push(batch.length);
    return done;
  });
  assert.deepEqual(sizes, [largestBatch, largestBatch, 1]);
});

test('no units, no call', async () => {
  const failures = await runBatches([], () => assert.fail('called'));
  assert.equal(failures.size, 0);
});

test('the units to blame for unclear failures are found, and every other one is done', async () => {
  const arbitrary = fc.uniqueArray(fc.nat(199), { maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(arbitrary, async (indexes) => {
      const all = names(200);
      const bad = new Set(indexes.map((index) => all[index]));
      const isDone = new Set<UnitName>();
      const failures = await runBatches(all, async (batch) => {
        if (batch.some((name) => bad.has(name))) return { kind: 'unclear', message: 'one of them' };
        for (const name of batch) isDone.add(name);
        return done;
      });
      assert.deepEqual(new Set(failures.keys()), bad);
      assert.equal(isDone.size, all.length - bad.size);
    }),
    { numRuns: 50 },
  );
});
