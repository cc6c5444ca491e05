import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type LaunchState, type MachineId, parseMachineId } from '@flotilla/cluster';
import { silentLogger, TestClock } from '@flotilla/runtime';
import { parseUnitName, type UnitHash } from '@flotilla/unit';
import { keys } from './keys.js';
import { RacingStore } from './racing-store.js';
import { decodeRecord, encodeRecord, type RestartRecord, type StateRecord, type UnitRecord } from './records.js';
import { StoreError } from './store.js';
import { putUnit } from './unit-editor.js';
import { restartUnit } from './unit-restart.js';

const web = parseUnitName('web.service');
const [one, other] = [parseMachineId('1'.repeat(32)), parseMachineId('2'.repeat(32))];
const contentOf = (digit: string, isGlobal: boolean) => ({
  file: Buffer.from(digit),
  hash: digit.repeat(40) as UnitHash,
  isGlobal,
  isVerbatim: true,
});

async function setUp({ isGlobal = false, desiredState = 'launched' as LaunchState, name = web } = {}) {
  const store = new RacingStore({ clock: new TestClock() });
  const access = { store, log: silentLogger };
  const rival = { ...access, store: store.client() };
  await putUnit(access, name, { content: contentOf('1', isGlobal), desiredState });
  const write = (key: string, record: object) =>
    rival.store.transact({ success: [{ kind: 'put', key, value: encodeRecord(record) }] });
  const find = async <T extends object>(key: string): Promise<T | undefined> => {
    const [kv] = (await store.range({ from: key })).kvs;
    return kv && decodeRecord<T>(key, kv.value);
  };
  const uid = (await store.range({ from: keys.unit(name) })).kvs[0]?.createRevision ?? 0;
  const report = (machine: MachineId, change: Partial<StateRecord> = {}) => {
    const state = { load: 'loaded', active: 'active', sub: 'running', hash: '1'.repeat(40) as UnitHash, since: 0 };
    const row: StateRecord = { ...state, uid, order: 1, isLaunched: true, ...change };
    return write(keys.state(name, machine), row);
  };
  for (const machine of [one, other]) await write(keys.machine(machine), { address: '' });
  if (!isGlobal) await write(keys.placement(name), { machine: one });
  return { store, access, rival, name, write, find, uid, report };
}

for (const desiredState of ['launched', 'loaded'] as const)
  test(`a unit that is ${desiredState} is ordered to be started once more`, async () => {
    const { access, name, find } = await setUp({ desiredState });
    const before = await find<UnitRecord>(keys.unit(name));
    const outcome = await restartUnit(access, name);
    const after = await find<UnitRecord>(keys.unit(name));
    assert.deepEqual(after, { ...before, desiredState: 'launched', order: (before?.order ?? 0) + 1 });
    assert.deepEqual(outcome, { kind: 'ordered', order: after?.order, machine: one });
    assert.equal((await restartUnit(access, name, one)).kind, 'ordered', 'on the machine that it is on');
  });

test('a global unit is ordered on one machine without a change of its record', async () => {
  const { access, name, find, uid, report } = await setUp({ isGlobal: true });
  await report(one);
  const before = await find<UnitRecord>(keys.unit(name));
  const outcome = await restartUnit(access, name, one);
  assert.ok(outcome.kind === 'ordered' && outcome.order > 1);
  assert.deepEqual(await find<RestartRecord>(keys.restart(one, name)), { uid, order: outcome.order });
  assert.deepEqual(await find(keys.unit(name)), before);
  const again = await restartUnit(access, name, one);
  assert.ok(again.kind === 'ordered' && again.order > outcome.order, 'one that is not carried out hides no later one');
});

const raises = {
  'a restart everywhere': (access: Parameters<typeof putUnit>[0]) => restartUnit(access, web),
  'a start': async (access: Parameters<typeof putUnit>[0]) => {
    await putUnit(access, web, { desiredState: 'loaded' });
    await putUnit(access, web, { desiredState: 'launched' });
  },
  'new content': (access: Parameters<typeof putUnit>[0]) =>
    putUnit(access, web, { content: contentOf('2', true), desiredState: 'launched' }),
};
for (const [what, raise] of Object.entries(raises))
  test(`${what} is a larger order than any that one machine was given`, async () => {
    const { store, access, find, report } = await setUp({ isGlobal: true });
    await report(one);
    const own = await restartUnit(access, web, one);
    // Carried out, but not yet in the row.
    await store.transact({ success: [{ kind: 'delete', from: keys.restart(one, web) }] });
    await raise(access);
    const record = await find<UnitRecord>(keys.unit(web));
    assert.ok(own.kind === 'ordered' && record !== undefined && record.order > own.order);
    assert.equal((await find<UnitRecord>(keys.global(web)))?.order, record.order);
  });

test('what can not be restarted is refused, with why, and nothing is written', async () => {
  const refused = async (is: Parameters<typeof setUp>[0], machine?: MachineId, rows: Partial<StateRecord>[] = []) => {
    const { store, access, name, report } = await setUp(is);
    for (const row of rows) await report(one, row);
    const { revision } = await store.range({ from: keys.cluster });
    const outcome = await restartUnit(access, name, machine);
    assert.equal((await store.range({ from: keys.cluster })).revision, revision);
    return outcome.kind === 'refused' ? outcome.why : outcome.kind;
  };
  const { access } = await setUp();
  assert.deepEqual(await restartUnit(access, parseUnitName('x.service')), { kind: 'refused', why: 'absent' });
  assert.equal(await refused({ desiredState: 'inactive' }), 'inactive');
  assert.equal(await refused({ desiredState: 'inactive', name: parseUnitName('web@.service') }), 'template');
  assert.equal(await refused({}, other), 'elsewhere');
  const global = { isGlobal: true };
  assert.equal(await refused(global, parseMachineId('3')), 'no-machine');
  assert.equal(await refused(global, one), 'not-there');
  assert.equal(await refused(global, one, [{ uid: 1_000 }]), 'not-there', 'an earlier unit of that name');
  assert.equal(await refused({ ...global, desiredState: 'loaded' }, one, [{}]), 'not-launched');
});

for (const machine of [undefined, one])
  test(`of two who order at once, both have one order${machine && ' on one machine'}`, async () => {
    const { store, access, rival, find, report } = await setUp({ isGlobal: true });
    await report(one);
    let first: Promise<unknown> | undefined;
    store.beforeCompare = () => {
      first ??= restartUnit(rival, web, machine);
      return first;
    };
    const second = await restartUnit(access, web, machine);
    assert.deepEqual(second, await first);
    const key = machine === undefined ? keys.unit(web) : keys.restart(machine, web);
    assert.ok(second.kind === 'ordered');
    assert.equal((await find<RestartRecord>(key))?.order, second.order);
  });

test('who is overtaken by a stop orders the start all the same', async () => {
  const { store, access, rival, find } = await setUp();
  store.beforeCompare = () => {
    store.beforeCompare = undefined;
    return putUnit(rival, web, { desiredState: 'loaded' });
  };
  assert.equal((await restartUnit(access, web)).kind, 'ordered');
  const record = await find<UnitRecord>(keys.unit(web));
  assert.deepEqual([record?.desiredState, record?.order], ['launched', 2]);
});

const overtaken: Readonly<
  Record<string, [by: (bench: Awaited<ReturnType<typeof setUp>>) => Promise<unknown>, why: string]>
> = {
  'a stop': [({ rival, name }) => putUnit(rival, name, { desiredState: 'loaded' }), 'not-launched'],
  'the end of the machine': [
    ({ rival }) => rival.store.transact({ success: [{ kind: 'delete', from: keys.machine(one) }] }),
    'no-machine',
  ],
};
for (const [what, [overtake, why]] of Object.entries(overtaken))
  test(`who is overtaken by ${what} on one machine is told so, and orders nothing`, async () => {
    const bench = await setUp({ isGlobal: true });
    const { store, access, find, report } = bench;
    await report(one);
    store.beforeCompare = async () => {
      store.beforeCompare = undefined;
      await overtake(bench);
    };
    assert.deepEqual(await restartUnit(access, web, one), { kind: 'refused', why });
    assert.equal(await find(keys.restart(one, web)), undefined);
  });

test('an order for one machine that comes late leaves a larger one there', async () => {
  const { store, access, rival, find, report, write } = await setUp({ isGlobal: true });
  await report(one);
  let last: unknown;
  store.beforeCompare = async () => {
    store.beforeCompare = undefined;
    await restartUnit(rival, web, one);
    await write(keys.cluster, {});
    last = await restartUnit(rival, web, one);
  };
  assert.deepEqual(await restartUnit(access, web, one), last);
  const restart = await find<RestartRecord>(keys.restart(one, web));
  assert.deepEqual(last, { kind: 'ordered', order: restart?.order, machine: one });
});

for (const [machine, lost] of [
  [undefined, 'Reply'],
  [undefined, 'Request'],
  [one, 'Reply'],
  [one, 'Request'],
] as const)
  test(`a lost ${lost} makes one order${machine && ' on one machine'}`, async () => {
    const { store, access, find, report } = await setUp({ isGlobal: true });
    await report(one);
    store.beforeCompare = async () => {
      store.beforeCompare = undefined;
      store[`loseNext${lost}`]();
    };
    const outcome = await restartUnit(access, web, machine);
    const key = machine === undefined ? keys.unit(web) : keys.restart(machine, web);
    assert.ok(outcome.kind === 'ordered');
    assert.equal((await find<RestartRecord>(key))?.order, outcome.order);
  });

test('a store that falls silent leaves it open whether the order was given', async () => {
  const { store, access } = await setUp();
  store.beforeCompare = async () => {
    store.transact = () => Promise.reject(new StoreError('unavailable', 'away'));
    throw new StoreError('uncertain', 'no answer');
  };
  await assert.rejects(restartUnit(access, web), { code: 'store-uncertain' });
});
