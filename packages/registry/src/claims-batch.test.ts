import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { UnitName } from '@flotilla/unit';
import { adoptUnit } from './adopt-unit.js';
import { contentOf } from './claims-cluster.js';
import { a, b, c, drop, hold, local, names, outcome, outcomes, setUp } from './claims-harness.js';
import { keys, ranges } from './keys.js';
import { putUnit } from './unit-editor.js';

describe('thousands of units at once', () => {
  test('take few transactions, and none that writes if they are as they were', async () => {
    const { join, change, counted, store } = setUp();
    await Promise.all([a, b, c].map((machine) => join(machine)));
    const all = names(5_000);
    assert.deepEqual(outcomes(await change(a, all, hold('a1'))), { created: 5_000 });
    // A unit and its claim; their common file is put with each.
    assert.deepEqual(counted, { reads: 1 + Math.ceil(5_000 / 64), writes: Math.ceil(5_000 / 63) });
    Object.assign(counted, { reads: 0, writes: 0 });
    const before = store.revision;
    assert.deepEqual(outcomes(await change(a, all, hold('a1'))), { unchanged: 5_000 });
    assert.deepEqual([counted.writes, store.revision], [0, before]);
    assert.deepEqual(outcomes(await change(a, all, drop)), { destroyed: 5_000 });
    // Twice: whether others claim them, and again when they are marked.
    const ofOthers = 2;
    assert.deepEqual(counted, {
      reads: 2 * (1 + Math.ceil(5_000 / 64)) + 2 * ofOthers,
      writes: Math.ceil(5_000 / 128) + Math.ceil(5_000 / 42),
    });
    for (const range of [ranges.units, ranges.claimsOfAll(local)])
      assert.equal((await store.range({ ...range, keysOnly: true })).kvs.length, 0);
  });

  test('are dropped in a few transactions while others claim them', async () => {
    const { join, change, counted } = setUp();
    for (const machine of [a, b]) {
      await join(machine);
      await change(machine, names(500), hold('a1'));
    }
    Object.assign(counted, { reads: 0, writes: 0 });
    assert.deepEqual(outcomes(await change(a, names(500), drop)), { dropped: 500 });
    assert.deepEqual(counted, { reads: 1 + Math.ceil(500 / 64) + 1, writes: Math.ceil(500 / 64) });
  });

  test('are not held up by one that is another’s, one that can’t be read and one that others keep changing', async () => {
    const { join, change, store, access, rival } = setUp();
    await join(a);
    const all = names(200);
    const [others, bad, hot] = all as [UnitName, UnitName, UnitName];
    await putUnit(access, others, { content: contentOf('b1') });
    await store.transact({ success: [{ kind: 'put', key: keys.unit(bad), value: Buffer.from('?') }] });
    await putUnit(access, hot, { content: contentOf('b1') });
    await adoptUnit(access, hot, local);
    let turn = 0;
    store.beforeCompare = () => putUnit(rival, hot, { desiredState: turn++ % 2 === 0 ? 'loaded' : 'inactive' });
    const results = await change(a, all, hold('a1'));
    assert.equal(outcome(results.get(others)), 'owned by undefined');
    assert.match(outcome(results.get(bad)), /is not JSON/);
    assert.equal(outcome(results.get(hot)), 'rivals');
    assert.equal(outcomes(results).created, 197);
  });
});
