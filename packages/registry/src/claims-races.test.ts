import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { adoptUnit } from './adopt-unit.js';
import { changeClaims } from './claims.js';
import { contentOf, emptyRow } from './claims-cluster.js';
import { a, b, c, drop, hold, local, machines, outcome, setUp, web } from './claims-harness.js';
import { joinDirectory, removeDirectoryHost, writeDirectoryHost } from './directory-hosts.js';
import { keys, ranges } from './keys.js';
import type { RacingStore } from './racing-store.js';
import type { UnitRecord } from './records.js';
import { StoreError, type Transaction } from './store.js';
import { deleteUnit, deleteUnits } from './unit-deleter.js';
import { putUnit } from './unit-editor.js';

describe('the last claim', () => {
  test('goes with its unit, however many hosts have joined', async () => {
    const { join, one, find, counted } = setUp();
    await Promise.all(machines.map((machine) => join(machine)));
    assert.equal(await one(a, hold('a1')), 'created');
    assert.equal(await one(c, hold('a1')), 'unchanged');
    assert.equal(await one(a, drop), 'dropped');
    Object.assign(counted, { reads: 0, writes: 0 });
    assert.equal(await one(c, drop), 'destroyed');
    // Claimants, the unit, twice all others' claims (128 a transaction); the mark and the deletion.
    assert.deepEqual(counted, { reads: 2 + 2 * 3, writes: 2 });
    assert.equal(await find(keys.unit(web)), undefined);
  });

  test('of a host that is alone costs two reads and a transaction', async () => {
    const { join, one, counted } = setUp();
    await join(a);
    await one(a, hold('a1'));
    Object.assign(counted, { reads: 0, writes: 0 });
    assert.equal(await one(a, drop), 'destroyed');
    assert.deepEqual(counted, { reads: 2, writes: 1 });
  });

  test('is found by one of a hundred hosts that drop it at once', async () => {
    const { join, change, store, counted } = setUp();
    const hosts = machines.slice(0, 100);
    for (const machine of hosts) await join(machine);
    for (const machine of hosts) await change(machine, [web], hold('a1'));
    Object.assign(counted, { reads: 0, writes: 0 });
    const results = await Promise.all(hosts.map((machine) => change(machine, [web], drop)));
    const all = results.map((each) => outcome(each.get(web)));
    assert.deepEqual(
      [all.filter((each) => each === 'destroyed').length, all.filter((each) => each === 'dropped').length],
      [1, 99],
    );
    assert.ok(counted.writes <= 3 * hosts.length, `${counted.writes} writes`);
    assert.equal((await store.range({ ...ranges.claimsOfAll(local), keysOnly: true })).kvs.length, 0);
  });

  for (const point of [1, 2])
    test(`does not destroy what another host claims just before write ${point}`, async () => {
      const { join, one, store, rival, find } = setUp();
      await join(a);
      await join(b);
      await one(a, hold('a1'));
      let writes = 0;
      store.beforeCompare = async () => {
        if (++writes !== point) return;
        await joinDirectory(rival, { owner: local, claimant: c }, emptyRow);
        await changeClaims(rival, { owner: local, claimant: c }, new Map([[web, hold('a1')]]));
      };
      assert.equal(await one(a, drop), 'dropped');
      assert.ok(await find<UnitRecord>(keys.unit(web)));
      store.beforeCompare = undefined;
      assert.equal(await one(c, drop), 'destroyed');
    });

  test('of a unit that was adopted and deleted meanwhile is only dropped', async () => {
    const { join, one, store, rival, find } = setUp();
    await join(a);
    await one(a, hold('a1'));
    let isFirst = true;
    store.beforeCompare = async () => {
      if (!isFirst) return;
      isFirst = false;
      await adoptUnit(rival, web);
      await deleteUnits(rival, [web]);
      await putUnit(rival, web, { content: contentOf('b1') });
    };
    assert.equal(await one(a, drop), 'dropped');
    assert.equal((await find<UnitRecord>(keys.unit(web)))?.hash, contentOf('b1').hash);
  });
});

describe('what was decided is decided anew', () => {
  /** Has something happen just before the write of this number. */
  function before(store: RacingStore, point: number, act: () => Promise<unknown>): void {
    let writes = 0;
    store.beforeCompare = async () => {
      if (++writes === point) await act();
    };
  }

  test('when the unit that was gone is there again, of somebody who relies on this claim', async () => {
    const { join, one, store, rival } = setUp();
    for (const machine of [a, b]) await join(machine);
    await one(a, hold('a1'));
    await adoptUnit(rival, web);
    await deleteUnit(rival, web);
    before(store, 1, async () => {
      for (const change of [hold('a1'), drop])
        await changeClaims(rival, { owner: local, claimant: b }, new Map([[web, change]]));
    });
    assert.equal(await one(a, drop), 'destroyed');
  });

  test('when the claimant is none any more', async () => {
    const { join, one, store, rival, find } = setUp();
    await join(a);
    before(store, 1, () => removeDirectoryHost(rival, { owner: local, claimant: a }));
    assert.match(await one(a, hold('a1')), /is none of the claimants/);
    assert.equal(await find(keys.unit(web)), undefined);
  });

  for (const point of [1, 2])
    test(`when somebody else claims a unit that nobody did, just before write ${point}`, async () => {
      const { join, one, store, rival, find } = setUp();
      for (const machine of [a, b]) await join(machine);
      await putUnit(rival, web, { content: contentOf('a1') });
      await adoptUnit(rival, web, local);
      before(store, point, () => changeClaims(rival, { owner: local, claimant: b }, new Map([[web, hold('a1')]])));
      assert.equal(await one(a, hold('b1')), 'behind');
      assert.equal((await find<UnitRecord>(keys.unit(web)))?.hash, contentOf('a1').hash);
    });

  test('and a request that comes late, after a later pass has destroyed the unit, does nothing', async () => {
    const { join, one, store, access } = setUp();
    await join(a);
    let late: Transaction | undefined;
    store.insteadOfCompare = (transaction) => {
      late = transaction;
      store.insteadOfCompare = undefined;
      throw new StoreError('uncertain', 'no answer');
    };
    assert.equal(await one(a, hold('a1')), 'created');
    await writeDirectoryHost(access, { owner: local, claimant: a }, emptyRow);
    assert.equal(await one(a, drop), 'destroyed');
    assert.ok(late !== undefined);
    assert.equal((await store.transact(late)).succeeded, false);
  });
});
