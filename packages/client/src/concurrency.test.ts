import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mapInFlight } from './concurrency.js';

test('results come in the order of the items, and never more than 16 are under way', async () => {
  const items = Array.from({ length: 100 }, (_, index) => index);
  let underWay = 0;
  let most = 0;
  const doubled = await mapInFlight(items, async (item) => {
    most = Math.max(most, ++underWay);
    for (let turn = 0; turn < (item * 7) % 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    underWay--;
    return item * 2;
  });
  assert.deepEqual(
    doubled,
    items.map((item) => item * 2),
  );
  assert.equal(most, 16);
});

test('the first rejection is passed on and nothing further is begun', async () => {
  const begun: number[] = [];
  const items = Array.from({ length: 50 }, (_, index) => index);
  const work = async (item: number) => {
    begun.push(item);
    await new Promise((resolve) => setImmediate(resolve));
    throw new Error(`no ${item}`);
  };
  await assert.rejects(mapInFlight(items, work), { message: 'no 0' });
  assert.equal(begun.length, 16);
});
