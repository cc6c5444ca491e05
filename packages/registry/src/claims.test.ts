import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type MachineId, parseMachineId } from '@flotilla/cluster';
import { silentLogger, TestClock } from '@flotilla/runtime';
import { type OwnerName, parseOwnerName, parseUnitName, type UnitName } from '@flotilla/unit';
import { adoptUnit } from './adopt-unit.js';
import { applyClaimant } from './claimant.js';
import { type ClaimChange, type ClaimOutcome, type ClaimSide, changeClaims } from './claims.js';
import { contentOf, emptyRow } from './claims-cluster.js';
import { joinDirectory, readClaims } from './directory-hosts.js';
import type { ClaimRecord } from './directory-records.js';
import { keys, ranges } from './keys.js';
import { RacingStore } from './racing-store.js';
import { decodeRecord, type UnitRecord } from './records.js';
import { type Store, StoreError, type Transaction } from './store.js';
import { deleteUnit, deleteUnits } from './unit-deleter.js';
import type { UnitResult } from './unit-edit.js';
import { putUnit } from './unit-editor.js';

const local = parseOwnerName('local');
const site = parseOwnerName('site');
const web = parseUnitName('web.service');
const machines = Array.from({ length: 300 }, (_, at) => parseMachineId(String(at).padStart(32, '0')));
const [a, b, c] = machines as [MachineId, MachineId, MachineId];

function names(count: number): UnitName[] {
  return Array.from({ length: count }, (_, at) => parseUnitName(`unit${at}.service`));
}

function hold(file: string): ClaimChange {
  return { kind: 'hold', content: contentOf(file), desiredState: 'launched', source: 'web.service' };
}

const drop: ClaimChange = { kind: 'drop' };

/** A store whose calls are counted, and in which rivals may come first. */
function setUp() {
  const store = new RacingStore({ clock: new TestClock() });
  const counted = { reads: 0, writes: 0 };
  const wrapped = {
    range: (request: Parameters<Store['range']>[0]) => {
      counted.reads++;
      return store.range(request);
    },
    transact: (transaction: Transaction) => {
      counted[transaction.compares === undefined ? 'reads' : 'writes']++;
      return store.transact(transaction);
    },
  };
  const proxy = new Proxy<Store>(store, { get: (of, key) => Reflect.get(key in wrapped ? wrapped : of, key) });
  const access = { store: proxy, log: silentLogger };
  const find = async <T extends object>(key: string): Promise<T | undefined> => {
    const [kv] = (await store.range({ from: key })).kvs;
    return kv && decodeRecord<T>(key, kv.value);
  };
  const join = (claimant: ClaimSide['claimant'], owner = local) =>
    joinDirectory({ store, log: silentLogger }, { owner, claimant }, emptyRow);
  const change = (
    claimant: ClaimSide['claimant'],
    all: Iterable<UnitName>,
    to: ClaimChange,
    owner: OwnerName = local,
  ) => changeClaims(access, { owner, claimant }, new Map([...all].map((name) => [name, to])));
  const one = async (claimant: ClaimSide['claimant'], to: ClaimChange) =>
    outcome((await change(claimant, [web], to)).get(web));
  const rival = { store: store.client(), log: silentLogger };
  return { store, access, rival, counted, find, join, change, one };
}

function outcome(result: UnitResult<ClaimOutcome> | undefined): string {
  if (result === undefined) return 'none';
  if (result.kind === 'failed') return result.error instanceof StoreError ? result.error.kind : String(result.error);
  return typeof result.outcome === 'string' ? result.outcome : `owned by ${result.outcome.owner}`;
}

function outcomes(results: ReadonlyMap<UnitName, UnitResult<ClaimOutcome>>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const result of results.values()) counts[outcome(result)] = (counts[outcome(result)] ?? 0) + 1;
  return counts;
}

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
