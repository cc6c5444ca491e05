import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseUnitName } from '@flotilla/unit';
import { adoptUnit } from './adopt-unit.js';
import { applyClaimant } from './claimant.js';
import type { ClaimChange } from './claims.js';
import { contentOf } from './claims-cluster.js';
import { a, b, drop, hold, local, names, outcomes, setUp, site, web } from './claims-harness.js';
import { readClaims } from './directory-hosts.js';
import type { ClaimRecord } from './directory-records.js';
import { keys } from './keys.js';
import type { UnitRecord } from './records.js';
import { StoreError } from './store.js';
import { deleteUnit } from './unit-deleter.js';
import { putUnit } from './unit-editor.js';

describe('a claim', () => {
  test('comes with its unit, file and copy for agents in one transaction', async () => {
    const { store, find, join, one, counted } = setUp();
    await join(a);
    const before = store.revision;
    assert.equal(await one(a, hold('g1')), 'created');
    assert.equal(store.revision, before + 1);
    assert.deepEqual(counted, { reads: 2, writes: 1 });
    const unit = await find<UnitRecord>(keys.unit(web));
    assert.deepEqual([unit?.owner, unit?.desiredState, unit?.order], [local, 'launched', 1]);
    assert.deepEqual(await find(keys.global(web)), unit);
    const claim = await find<ClaimRecord>(keys.claim(local, a, web));
    assert.deepEqual(claim, { file: unit?.file, source: 'web.service' });
    assert.equal(await one(a, hold('g1')), 'unchanged');
    assert.equal(store.revision, before + 1);
  });

  test('on a template asks for nothing to run', async () => {
    const { join, change, find } = setUp();
    const template = parseUnitName('web@.service');
    await join(a);
    assert.deepEqual(outcomes(await change(a, [template], hold('a1'))), { created: 1 });
    assert.equal((await find<UnitRecord>(keys.unit(template)))?.desiredState, 'inactive');
  });

  test('is taken only of who has joined, and dropped of anybody', async () => {
    const { one, store } = setUp();
    const before = store.revision;
    assert.match(await one(a, hold('a1')), /is none of the claimants of local/);
    assert.equal(await one(a, drop), 'dropped');
    assert.equal(store.revision, before);
  });

  test('says where it was read from: another source is written, and touches no unit', async () => {
    const { join, change, one, find } = setUp();
    await join(a);
    await one(a, hold('a1'));
    const unit = await find(keys.unit(web));
    const moved: ClaimChange = {
      kind: 'hold',
      content: contentOf('a1'),
      desiredState: 'launched',
      source: 'all.units',
    };
    assert.deepEqual(outcomes(await change(a, [web], moved)), { unchanged: 1 });
    assert.equal((await find<ClaimRecord>(keys.claim(local, a, web)))?.source, 'all.units');
    assert.deepEqual(await find(keys.unit(web)), unit);
  });

  test('that can’t be read is one of unknown content', async () => {
    const { join, one, store, access } = setUp();
    await join(a);
    await one(a, hold('a1'));
    const key = keys.claim(local, a, web);
    await store.transact({ success: [{ kind: 'put', key, value: Buffer.from('?') }] });
    assert.deepEqual((await readClaims(access, { owner: local, claimant: a })).get(web), { file: '', source: '' });
    assert.equal(await one(a, hold('a2')), 'updated');
    assert.equal(await one(a, drop), 'destroyed');
  });
});

describe('the owner of a unit', () => {
  test('alone changes and destroys it; anybody starts and stops it', async () => {
    const { join, one, access, find, change } = setUp();
    await join(a);
    await one(a, hold('a1'));
    const owned = { kind: 'owned', owner: local };
    assert.deepEqual(await putUnit(access, web, { content: contentOf('b1'), desiredState: 'launched' }), owned);
    assert.deepEqual(await putUnit(access, web, { content: contentOf('a2') }), owned);
    assert.deepEqual(await deleteUnit(access, web), owned);
    assert.equal(await putUnit(access, web, { content: contentOf('a1'), desiredState: 'loaded' }), 'updated');
    assert.equal(await putUnit(access, web, { desiredState: 'inactive' }), 'updated');
    assert.equal((await find<UnitRecord>(keys.unit(web)))?.owner, local);
    await join(a, site);
    assert.deepEqual(outcomes(await change(a, [web], hold('b1'), site)), { 'owned by local': 1 });
    assert.deepEqual(outcomes(await change(a, [web], drop, site)), { dropped: 1 });
    assert.equal(await one(a, drop), 'destroyed');
  });

  test('is the API’s users’ after an adoption without one, and the directory says so', async () => {
    const { join, one, access } = setUp();
    await join(a);
    await one(a, hold('a1'));
    assert.deepEqual(await adoptUnit(access, web), { kind: 'adopted', former: local });
    assert.deepEqual(await adoptUnit(access, web), { kind: 'same', former: undefined });
    assert.equal(await one(a, hold('a1')), 'unchanged');
    assert.equal(await one(a, hold('b1')), 'owned by undefined');
    assert.deepEqual(await adoptUnit(access, web, local), { kind: 'adopted', former: undefined });
    assert.equal(await one(a, hold('b1')), 'replaced');
  });

  test('keeps a copy for agents as it is', async () => {
    const { join, one, access, find } = setUp();
    await join(a);
    await one(a, hold('g1'));
    const [before, copy] = [await find<UnitRecord>(keys.unit(web)), await find<UnitRecord>(keys.global(web))];
    await adoptUnit(access, web, site);
    assert.deepEqual(await find(keys.unit(web)), { ...before, owner: site });
    const uid = (await find<UnitRecord>(keys.global(web)))?.uid;
    assert.ok(uid !== undefined);
    assert.deepEqual(await find(keys.global(web)), { ...copy, owner: site, uid });
  });

  test('is told of when a unit is given to it', async () => {
    const { access, store } = setUp();
    await putUnit(access, web, { content: contentOf('a1') });
    const told = async () => (await store.range({ from: keys.directoryOwner(local) })).kvs[0]?.modRevision;
    assert.equal(await told(), undefined);
    await adoptUnit(access, web, local);
    assert.equal(await told(), store.revision);
  });
});

describe('a first sight', () => {
  test('of a copy that differs from what others claim changes nothing; a person’s word does', async () => {
    const { join, one, change, find } = setUp();
    for (const claimant of [a, b, applyClaimant] as const) await join(claimant);
    await one(a, hold('a1'));
    assert.equal(await one(b, hold('b1')), 'behind');
    assert.equal((await find<UnitRecord>(keys.unit(web)))?.hash, contentOf('a1').hash);
    assert.equal(await one(b, hold('b1')), 'unchanged');
    const explicit: ClaimChange = {
      kind: 'hold',
      content: contentOf('b1'),
      desiredState: 'launched',
      source: '',
      isExplicit: true,
    };
    assert.deepEqual(outcomes(await change(applyClaimant, [web], explicit)), { replaced: 1 });
    assert.equal(await one(a, hold('a2')), 'replaced');
  });

  test('of a unit that nobody claims, as it was just adopted, changes it', async () => {
    const { join, one, access } = setUp();
    await join(a);
    await join(b);
    await putUnit(access, web, { content: contentOf('a1') });
    await adoptUnit(access, web, local);
    assert.equal(await one(a, hold('b1')), 'replaced');
  });
});

describe('without answers', () => {
  test('a claim is read back', async () => {
    const { join, one, store } = setUp();
    await join(a);
    for (const [change, answer] of [
      [hold('a1'), 'created'],
      [hold('b1'), 'replaced'],
      [drop, 'destroyed'],
    ] as const) {
      let isLost = false;
      store.beforeCompare = async () => {
        if (!isLost) store.loseNextReply();
        isLost = true;
      };
      assert.equal(await one(a, change), answer);
    }
  });

  test('nobody knows whether it was made when the store is gone after it; before, it was not', async () => {
    const { join, change, store } = setUp();
    await join(a);
    store.afterCompare = () => {
      store.cut();
      throw new StoreError('uncertain', 'the reply was lost');
    };
    assert.deepEqual(outcomes(await change(a, names(3), hold('a1'))), { uncertain: 3 });
    assert.deepEqual(outcomes(await change(a, names(3), hold('b1'))), { unavailable: 3 });
  });
});
