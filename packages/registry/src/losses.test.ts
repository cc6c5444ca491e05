import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMachineId } from '@flotilla/cluster';
import { silentLogger, TestClock } from '@flotilla/runtime';
import { parseUnitName } from '@flotilla/unit';
import { keys, ranges } from './keys.js';
import { listLosses, orderRelease } from './losses.js';
import { MemoryStore } from './memory-store.js';
import { encodeRecord, type LossRecord } from './records.js';
import type { Transaction } from './store.js';

const machine = parseMachineId('0123456789abcdef0123456789abcdef');
const held: LossRecord = { since: 1, state: 'brake', at: 2, units: 3, address: '10.0.0.1' };

function open() {
  const store = new MemoryStore({ clock: new TestClock() });
  const write = (key: string, record: object) =>
    store.transact({ success: [{ kind: 'put', key, value: encodeRecord(record) }] });
  const readOrders = async () => (await store.range(ranges.releases)).kvs.map(({ key }) => key);
  return { store, write, readOrders, access: { store, log: silentLogger } };
}

test('machines that are gone are listed by ID; what can not be read is left out', async () => {
  const { access, store, write } = open();
  const other = parseMachineId('1');
  await write(keys.loss(other), { ...held, state: 'lost' });
  await write(keys.loss(machine), held);
  await store.transact({ success: [{ kind: 'put', key: 'losses/2', value: new Uint8Array([1]) }] });
  await write('losses/3', { ...held, state: 'of a later version' });
  await write('losses/4', { ...held, since: null });
  assert.deepEqual(await listLosses(access), [
    { machine, record: held },
    { machine: other, record: { ...held, state: 'lost' } },
  ]);
});

const cases = [
  ['ordered', 'held back', { is: 'joined' }, held, undefined],
  ['ordered', 'gone, and nobody leads', { is: 'joined' }, undefined, undefined],
  ['forgotten', 'lost', { is: 'joined' }, { ...held, state: 'lost' }, undefined],
  ['left', 'left', { is: 'left' }, undefined, undefined],
  ['alive', 'alive', { is: 'joined' }, held, {}],
  ['absent', 'unknown', undefined, undefined, undefined],
] as const;

for (const [outcome, is, member, loss, alive] of cases)
  test(`a machine that is ${is}: ${outcome}`, async () => {
    const { access, write, readOrders } = open();
    if (member !== undefined) await write(keys.member(machine), { ...member, address: '' });
    if (loss !== undefined) await write(keys.loss(machine), loss);
    if (alive !== undefined) await write(keys.machine(machine), alive);
    assert.equal(await orderRelease(access, machine), outcome);
    assert.deepEqual(await readOrders(), outcome === 'ordered' ? [keys.release(machine)] : []);
  });

test('a machine that is lost is forgotten as a member, and only then, and not while it is counted', async () => {
  const { access, store, write } = open();
  const other = parseMachineId('1');
  const isMember = async () => (await store.range({ from: keys.member(machine) })).kvs.length === 1;
  await write(keys.member(machine), { is: 'joined', address: '' });
  const restart = keys.restart(machine, parseUnitName('all.service'));
  await write(restart, { uid: 1, order: 2 });
  await write(keys.loss(machine), { ...held, state: 'lost' });
  await write(keys.loss(other), held);
  assert.equal(await orderRelease(access, machine), 'counted');
  assert.equal(await isMember(), true);
  await write(keys.loss(other), { ...held, state: 'lost' });
  assert.equal(await orderRelease(access, machine), 'forgotten');
  assert.equal(await isMember(), false);
  assert.deepEqual((await store.range({ from: restart })).kvs, [], 'what it alone was to restart is forgotten with it');
  assert.equal(await orderRelease(access, machine), 'absent');
});

test('a machine that comes back in between is not released', async () => {
  const { access, store, write, readOrders } = open();
  await write(keys.member(machine), { is: 'joined', address: '' });
  await write(keys.loss(machine), held);
  const transact = store.transact.bind(store);
  store.transact = async (transaction: Transaction) => {
    const isOrder = transaction.compares !== undefined;
    if (isOrder) {
      store.transact = transact;
      await write(keys.machine(machine), {});
    }
    return transact(transaction);
  };
  assert.equal(await orderRelease(access, machine), 'alive');
  assert.deepEqual(await readOrders(), []);
});
