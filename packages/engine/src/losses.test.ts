import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { parseMachineId } from '@flotilla/cluster';
import { encodeRecord, keys, ranges, StoreError, type Transaction } from '@flotilla/registry';
import { TestCluster } from './test-cluster.js';

/** A third of `agent_ttl` (30 s) and 2 s, and all of it. */
const settleMs = 12_000;
const graceMs = 30_000;

let cluster: TestCluster;
beforeEach(() => {
  cluster = new TestCluster();
});
afterEach(() => cluster.close());

/** Machines `m1` to `m<count>`, each with one unit, `u<n>.service` on `m<n>`. */
async function fill(count: number): Promise<string[]> {
  const names = Array.from({ length: count }, (_, index) => `m${index + 1}`);
  await cluster.register(...names);
  for (const name of names) {
    await cluster.submit(`${name.replace('m', 'u')}.service`);
    await cluster.settle();
  }
  return names;
}

const placements = async () => (await cluster.layout()).filter((line) => line.includes(' > '));
const told = (text: RegExp) => cluster.lines.filter(({ message }) => text.test(message)).length;
const writes = ({ success }: Transaction, table: string) =>
  success.some((each) => 'key' in each && each.key.startsWith(table));

test('a machine that is gone keeps its units for a moment; then they move, and stay there when it is back', async () => {
  await cluster.lead();
  await fill(3);
  const before = await placements();
  await cluster.lose('m1');
  await cluster.clock.advance(settleMs - 1_000);
  assert.deepEqual([await placements(), await cluster.losses()], [before, ['m1 grace']]);
  await cluster.clock.advance(2_000);
  const after = ['u1.service > m2', 'u2.service > m2', 'u3.service > m3'];
  assert.deepEqual([await placements(), await cluster.losses()], [after, ['m1 lost']]);
  assert.equal(told(/^machine lost/), 1);
  await cluster.register('m1');
  await cluster.settle();
  assert.deepEqual([await placements(), await cluster.losses()], [after, []]);
});

test('with loss_settle=0s a machine that is gone is lost in the pass that learns of it', async () => {
  await cluster.lead();
  await fill(3);
  await cluster.write({ kind: 'put', key: keys.setting('loss_settle'), value: encodeRecord({ value: '0s' }) });
  await cluster.settle();
  await cluster.lose('m1');
  await cluster.settle();
  assert.deepEqual(await placements(), ['u1.service > m2', 'u2.service > m2', 'u3.service > m3']);
  assert.deepEqual(await cluster.losses(), ['m1 lost']);
});

test('a machine that leaves is drained at once', async () => {
  await cluster.lead();
  await fill(2);
  await cluster.leave('m1');
  await cluster.settle();
  assert.deepEqual(await placements(), ['u1.service > m2', 'u2.service > m2']);
  assert.deepEqual(await cluster.losses(), []);
});

test('a machine that is away holds up nobody, and takes nothing new', async () => {
  await cluster.lead();
  await fill(2);
  await cluster.lose('m1');
  await cluster.submit('new.service');
  await cluster.submit('other.service');
  await cluster.settle();
  assert.deepEqual((await placements()).slice(0, 2), ['new.service > m2', 'other.service > m2']);
  // What is asked of a unit on it waits there.
  await cluster.submit('u1.service', { order: 2 });
  await cluster.settle();
  assert.equal((await cluster.findSchedule('u1.service', 'm1'))?.order, 2);
});

test('a row that goes with the lease of its machine is no answer: nobody knows whether the unit was stopped', async () => {
  await cluster.lead();
  await cluster.register('m1');
  await cluster.submit('a.service');
  await cluster.settle();
  await cluster.report('a.service', 'm1');
  await cluster.register('m2');
  await cluster.submit('a.service', { fleet: 'MachineID=m2' });
  await cluster.settle();
  assert.deepEqual(await cluster.layout(), ['a.service @ m1 leaving']);
  const order = async () => (await cluster.store.range(ranges.schedule)).kvs.map(({ modRevision }) => modRevision);
  await cluster.lose('m1');
  await cluster.settle();
  assert.deepEqual(await cluster.layout(), ['a.service @ m1 leaving']);
  const given = await order();
  // Back again, it is asked once more.
  await cluster.register('m1');
  await cluster.settle();
  assert.deepEqual(await cluster.layout(), ['a.service @ m1 leaving']);
  assert.notDeepEqual(await order(), given);
  await cluster.lose('m1');
  await cluster.clock.advance(settleMs + 1_000);
  assert.deepEqual(await cluster.layout(), ['a.service > m2', 'a.service @ m2']);
});

test('all machines vanish and are back within seconds: nothing moves, nothing is written about units', async () => {
  const { store } = await cluster.lead();
  const machines = await fill(10);
  const layout = await cluster.layout();
  store.transactions.length = 0;
  for (const machine of machines) await cluster.lose(machine);
  await cluster.clock.advance(settleMs + 2_000);
  assert.deepEqual(await cluster.losses(), machines.map((machine) => `${machine} brake`).sort());
  for (const machine of machines) {
    await cluster.register(machine);
    await cluster.clock.advance(1_000);
  }
  await cluster.clock.advance(2 * graceMs);
  assert.deepEqual([await cluster.layout(), await cluster.losses()], [layout, []]);
  const written = store.transactions
    .flatMap(({ success }) => success)
    .flatMap((each) => ('key' in each ? each.key : []));
  assert.deepEqual(
    written.filter((key) => !key.startsWith('losses/')),
    [],
  );
  assert.deepEqual(
    [told(/^too many machines are gone/), told(/^not too many machines/), told(/^machine lost/)],
    [1, 1, 0],
  );
});

test('the leader goes with all machines: a new one waits for them', async () => {
  const first = await cluster.lead('e1');
  const machines = await fill(4);
  const layout = await cluster.layout();
  for (const machine of machines) await cluster.lose(machine);
  await first.engine.close({ resign: true });
  await cluster.lead('e2');
  await cluster.clock.advance(graceMs - 5_000);
  assert.deepEqual(
    await cluster.losses(),
    machines.map((machine) => `${machine} grace`),
  );
  for (const machine of machines.slice(1)) await cluster.register(machine);
  await cluster.settle();
  assert.deepEqual(await cluster.layout(), layout);
  // The one that is not back is lost, once it has been waited for.
  await cluster.clock.advance(10_000);
  assert.deepEqual(await cluster.losses(), ['m1 lost']);
  assert.equal((await placements()).filter((line) => line.endsWith(' m1')).length, 0);
});

test('the brake outlives its leader', async () => {
  const first = await cluster.lead('e1');
  const machines = await fill(3);
  const layout = await cluster.layout();
  for (const machine of machines.slice(0, 2)) await cluster.lose(machine);
  await cluster.clock.advance(settleMs + 1_000);
  await first.engine.close({ resign: true });
  await cluster.lead('e2');
  assert.deepEqual(await cluster.losses(), ['m1 brake', 'm2 brake']);
  await cluster.clock.advance(10 * graceMs);
  assert.deepEqual([await cluster.layout(), await cluster.losses()], [layout, ['m1 brake', 'm2 brake']]);
});

test('a person releases one machine, then the others', async () => {
  await cluster.lead();
  const machines = await fill(4);
  for (const machine of machines.slice(0, 3)) await cluster.lose(machine);
  await cluster.clock.advance(settleMs + 1_000);
  assert.equal(await cluster.release('m2'), 'ordered');
  await cluster.settle();
  assert.deepEqual(await cluster.losses(), ['m1 brake', 'm2 lost', 'm3 brake']);
  assert.deepEqual(await placements(), ['u1.service > m1', 'u2.service > m4', 'u3.service > m3', 'u4.service > m4']);
  await cluster.clock.advance(10 * graceMs);
  assert.equal((await placements()).filter((line) => line.endsWith(' m4')).length, 2);
  for (const machine of ['m1', 'm3']) assert.equal(await cluster.release(machine), 'ordered');
  await cluster.settle();
  assert.equal((await placements()).filter((line) => line.endsWith(' m4')).length, 4);
  assert.deepEqual(await cluster.keysOf(ranges.releases), []);
});

test('a machine that is lost and released is forgotten, and one that was comes back as any other', async () => {
  await cluster.lead();
  await fill(3);
  await cluster.lose('m1');
  await cluster.clock.advance(settleMs + 1_000);
  const layout = await cluster.layout();
  assert.equal(await cluster.release('m1'), 'forgotten');
  await cluster.settle();
  assert.deepEqual([await cluster.losses(), await cluster.layout()], [[], layout]);
  await cluster.register('m1');
  await cluster.settle();
  await cluster.lose('m1');
  await cluster.settle();
  assert.deepEqual([await cluster.losses(), await cluster.layout()], [['m1 grace'], layout]);
});

test('a release that the machine forestalls is forgotten', async () => {
  const first = await cluster.lead('e1');
  await fill(2);
  await first.engine.close({ resign: true });
  await cluster.lose('m1');
  assert.equal(await cluster.release('m1'), 'ordered');
  await cluster.register('m1');
  await cluster.lose('m1');
  await cluster.lead('e2');
  assert.deepEqual([await cluster.losses(), await cluster.keysOf(ranges.releases)], [['m1 grace'], []]);
});

test('machines are lost one after the other, a tenth at once', async () => {
  await cluster.lead();
  const machines = await fill(20);
  for (const machine of machines.slice(0, 5)) await cluster.lose(machine);
  const countLost = async () => (await cluster.losses()).filter((line) => line.endsWith(' lost')).length;
  await cluster.clock.advance(settleMs + 1_000);
  for (const expected of [2, 3, 4, 5]) {
    assert.equal(await countLost(), expected);
    const moved = (await placements()).filter((line) => / m(?:[1-5])$/.test(line));
    assert.equal(moved.length, 5 - expected);
    await cluster.clock.advance(10_000);
  }
});

test('a machine that comes back as its units are about to move keeps them', async () => {
  const { store } = await cluster.lead();
  await fill(2);
  const layout = await cluster.layout();
  await cluster.lose('m1');
  store.before = async (transaction) => {
    if (!writes(transaction, 'placements/')) return;
    store.before = async () => {};
    await cluster.register('m1');
  };
  await cluster.clock.advance(settleMs + 1_000);
  assert.deepEqual([await cluster.layout(), await cluster.losses()], [layout, []]);
});

test('a member whose record can not be read is waited for like any other', async () => {
  await cluster.lead();
  await fill(2);
  const layout = await cluster.layout();
  await cluster.write({ kind: 'put', key: keys.member(parseMachineId('m1')), value: new Uint8Array([1]) });
  await cluster.lose('m1');
  await cluster.clock.advance(settleMs - 1_000);
  assert.deepEqual(await cluster.layout(), layout);
  await cluster.clock.advance(2_000);
  assert.deepEqual(await cluster.losses(), ['m1 lost']);
});

const unreadable: readonly (readonly [string, Uint8Array])[] = [
  ['no JSON', new Uint8Array([1])],
  ['nothing', encodeRecord({})],
  ['a time that is none', encodeRecord({ since: null, state: 'brake', at: 1, units: 1, address: '' })],
  ['a state of a later version', encodeRecord({ since: 1, state: 'gone', at: 1, units: 1, address: '' })],
];
for (const [what, value] of unreadable)
  test(`what is noted in a way that can not be read is noted anew: ${what}`, async () => {
    const { store } = await cluster.lead();
    await fill(2);
    await cluster.lose('m1');
    await cluster.settle();
    await cluster.write({ kind: 'put', key: keys.loss(parseMachineId('m1')), value });
    await cluster.settle();
    const { length } = store.transactions;
    await cluster.clock.advance(settleMs - 1_000);
    assert.deepEqual([await cluster.losses(), store.transactions.length], [['m1 grace'], length]);
    await cluster.clock.advance(1_000);
    assert.deepEqual(await cluster.losses(), ['m1 lost']);
  });

test('without anything gone, nothing is noted, and no time is counted', async () => {
  const { store } = await cluster.lead();
  await fill(3);
  const { length } = store.transactions;
  await cluster.clock.advance(10 * graceMs);
  assert.deepEqual([await cluster.losses(), store.transactions.length], [[], length]);
});

test('a write that fails takes no turn', async () => {
  const { store } = await cluster.lead();
  const machines = await fill(5);
  for (const machine of machines.slice(0, 2)) await cluster.lose(machine);
  await cluster.settle();
  store.before = async (transaction) => {
    if (!writes(transaction, 'losses/')) return;
    store.before = async () => {};
    throw new StoreError('unavailable', 'cut off');
  };
  await cluster.clock.advance(settleMs + 2_000);
  assert.deepEqual(await cluster.losses(), ['m1 lost', 'm2 rate']);
});

test('a machine that vanishes while it is noted that another one did is not taken for lost', async () => {
  const { store } = await cluster.lead();
  await fill(3);
  await cluster.lose('m1');
  store.before = async (transaction) => {
    if (!writes(transaction, 'losses/')) return;
    store.before = async () => {};
    await cluster.lose('m2');
  };
  await cluster.settle();
  assert.deepEqual(await cluster.losses(), ['m1 grace', 'm2 grace']);
  assert.deepEqual(await placements(), ['u1.service > m1', 'u2.service > m2', 'u3.service > m3']);
});
