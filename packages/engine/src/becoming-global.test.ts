import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { Transaction } from '@flotilla/registry';
import { gate, TestCluster } from './test-cluster.js';

let cluster: TestCluster;
beforeEach(() => {
  cluster = new TestCluster();
});
afterEach(() => cluster.close());

/** Whether a transaction looks for the copies of units. */
function looksForCopies({ success }: Transaction): boolean {
  return (
    success.some(({ kind }) => kind === 'range') && success.length > 0 && !success.some(({ kind }) => kind === 'put')
  );
}

/** A global unit that runs on these machines. */
async function runGlobally(unit: string, machines: readonly string[]): Promise<void> {
  await cluster.submit(unit, { fleet: 'Global=true' });
  for (const machine of machines) await cluster.join(machine);
  await cluster.settle();
  for (const machine of machines) await cluster.report(unit, machine);
}

describe('a global unit that becomes an ordinary one', () => {
  test('leaves all its machines before it is placed', async () => {
    await cluster.lead();
    await runGlobally('a.service', ['m1', 'm2', 'm3']);
    await cluster.lose('m3');
    await cluster.submit('a.service');
    await cluster.settle();
    assert.deepEqual(await cluster.layout(), ['a.service @ m1 leaving', 'a.service @ m2 leaving']);
    assert.deepEqual((await cluster.findReason('a.service'))?.misfits, { 'leaving:m1': 1, 'leaving:m2': 1 });
    await cluster.acknowledge('a.service', 'm1');
    await cluster.settle();
    assert.deepEqual(await cluster.layout(), ['a.service @ m2 leaving']);
    await cluster.acknowledge('a.service', 'm2');
    await cluster.settle();
    assert.deepEqual(await cluster.layout(), ['a.service > m1', 'a.service @ m1']);
    assert.equal((await cluster.findSchedule('a.service', 'm1'))?.isLeaving, false);
  });

  test('does so too if it was destroyed and made anew, or not wanted in between', async () => {
    await cluster.lead();
    await runGlobally('a.service', ['m1']);
    await runGlobally('b.service', ['m1']);
    await cluster.destroy('a.service');
    await cluster.submit('b.service', { desired: 'inactive' });
    await cluster.settle();
    await cluster.submit('a.service');
    await cluster.submit('b.service');
    await cluster.settle();
    assert.deepEqual(await cluster.layout(), ['a.service @ m1 leaving', 'b.service @ m1 leaving']);
  });

  test('does so too if nobody led when it changed', async () => {
    await runGlobally('a.service', ['m1', 'm2']);
    await cluster.submit('a.service');
    await cluster.lead();
    assert.deepEqual(await cluster.layout(), ['a.service @ m1 leaving', 'a.service @ m2 leaving']);
  });

  test('does so on more machines than are told at once', async () => {
    await cluster.lead();
    const machines = Array.from({ length: 70 }, (_, index) => `m${String(index).padStart(2, '0')}`);
    await runGlobally('a.service', machines);
    await cluster.submit('a.service');
    await cluster.settle();
    assert.equal((await cluster.layout()).length, machines.length);
    for (const machine of machines.slice(1)) await cluster.acknowledge('a.service', machine);
    await cluster.settle();
    assert.deepEqual(await cluster.layout(), ['a.service @ m00 leaving']);
    await cluster.acknowledge('a.service', 'm00');
    await cluster.settle();
    assert.deepEqual(await cluster.layout(), ['a.service > m00', 'a.service @ m00']);
  });

  test('is placed at once where no machine has it', async () => {
    const { store } = await cluster.lead();
    await runGlobally('a.service', []);
    await cluster.join('m1');
    await cluster.submit('a.service');
    await cluster.settle();
    assert.deepEqual(await cluster.layout(), ['a.service > m1', 'a.service @ m1']);
    assert.equal(store.transactions.filter(looksForCopies).length, 1);
  });

  test('is looked for until the store has answered, and nothing else is held up for longer than that', async () => {
    const { store } = await cluster.lead();
    await runGlobally('a.service', ['m1']);
    store.before = async (transaction) => {
      if (looksForCopies(transaction)) store.client.cut();
    };
    await cluster.submit('a.service');
    await cluster.submit('b.service');
    await cluster.settle();
    assert.deepEqual(await cluster.layout(), []);
    store.before = async () => {};
    store.client.heal();
    await cluster.clock.advance(2_000);
    assert.deepEqual(await cluster.layout(), ['b.service > m1', 'a.service @ m1 leaving', 'b.service @ m1']);
  });

  test('stays where it is if it is global again before it was found', async () => {
    const { store } = await cluster.lead();
    await runGlobally('a.service', ['m1']);
    const answer = gate();
    store.before = async (transaction) => {
      if (looksForCopies(transaction)) await answer.opened;
    };
    await cluster.submit('a.service');
    await cluster.settle();
    await cluster.submit('a.service', { fleet: 'Global=true', order: 2 });
    await cluster.settle();
    answer.open();
    await cluster.settle();
    assert.deepEqual(await cluster.layout(), []);
  });
});

test('an ordinary unit that becomes global leaves its machine, and nothing of its schedule is left', async () => {
  await cluster.lead();
  await cluster.join('m1');
  await cluster.join('m2');
  await cluster.submit('a.service');
  await cluster.settle();
  await cluster.report('a.service', 'm1');
  await cluster.submit('a.service', { fleet: 'Global=true' });
  await cluster.report('a.service', 'm2');
  await cluster.settle();
  assert.deepEqual(await cluster.layout(), ['a.service @ m1 leaving']);
  await cluster.acknowledge('a.service', 'm1');
  await cluster.report('a.service', 'm1');
  await cluster.settle();
  assert.deepEqual(await cluster.layout(), []);
  assert.equal(await cluster.findReason('a.service'), undefined);
});

test('nothing is looked for when units are made, changed or moved; a new leader looks for those that wait', async () => {
  const first = await cluster.lead('e1');
  await cluster.join('m1');
  for (const unit of ['a.service', 'b.service']) await cluster.submit(unit);
  await cluster.submit('c.service', { fleet: 'MachineID=nobody' });
  await cluster.settle();
  await cluster.submit('a.service', { order: 2, fleet: 'MachineMetadata=role=db' });
  await cluster.destroy('b.service');
  await cluster.settle();
  assert.equal(first.store.transactions.filter(looksForCopies).length, 0);
  await first.engine.close({ resign: true });
  const second = await cluster.lead('e2');
  const looks = second.store.transactions.filter(looksForCopies);
  assert.deepEqual(
    looks.map(({ success }) => success.map((operation) => operation.kind === 'range' && operation.from)),
    [['states/a.service/', 'states/c.service/']],
  );
});

test('a unit that was written back from where it runs stays there, and leaves other machines that have it', async () => {
  await cluster.join('m1', { frozen: 'the store was emptied' });
  await cluster.join('m2');
  await cluster.submit('a.service', { runsOn: 'm1' });
  await cluster.submit('b.service', { runsOn: 'm1' });
  for (const unit of ['a.service', 'b.service']) await cluster.report(unit, 'm1');
  await cluster.report('b.service', 'm2');
  await cluster.lead();
  assert.deepEqual(await cluster.layout(), ['a.service > m1', 'a.service @ m1', 'b.service @ m2 leaving']);
  await cluster.acknowledge('b.service', 'm2');
  await cluster.settle();
  assert.deepEqual((await cluster.layout()).slice(0, 2), ['a.service > m1', 'b.service > m1']);
  assert.equal((await cluster.findSchedule('b.service', 'm1'))?.isLeaving, false);
});

test('a unit that was written back is not drawn to its former machine once that has been away', async () => {
  for (const machine of ['m1', 'm2']) await cluster.join(machine);
  await cluster.submit('a.service', { runsOn: 'm1' });
  await cluster.lead();
  assert.deepEqual((await cluster.layout()).slice(0, 1), ['a.service > m1']);
  await cluster.lose('m1');
  await cluster.settle();
  assert.deepEqual((await cluster.layout()).slice(0, 1), ['a.service > m2']);
  await cluster.join('m1', { frozen: 'the store was emptied' });
  await cluster.join('m3');
  await cluster.lose('m2');
  await cluster.settle();
  assert.deepEqual((await cluster.layout()).slice(0, 1), ['a.service > m3']);
});

test('a unit that was written back by a machine that has been away since leaves it before it is placed elsewhere', async () => {
  for (const machine of ['m1', 'm2', 'm3']) await cluster.join(machine);
  await cluster.submit('a.service', { runsOn: 'm3' });
  await cluster.lose('m3');
  await cluster.join('m3');
  await cluster.report('a.service', 'm3');
  await cluster.lead();
  assert.deepEqual(await cluster.layout(), ['a.service @ m3 leaving']);
  await cluster.acknowledge('a.service', 'm3');
  await cluster.settle();
  assert.deepEqual((await cluster.layout()).slice(0, 1), ['a.service > m1']);
});
