import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { parseMachineId } from '@flotilla/cluster';
import { keys, ranges } from '@flotilla/registry';
import { parseUnitName } from '@flotilla/unit';
import { gate, TestCluster } from './test-cluster.js';

let cluster: TestCluster;
beforeEach(() => {
  cluster = new TestCluster();
});
afterEach(() => cluster.close());

describe('leaving', () => {
  /** A unit that runs on m1. */
  async function placed(): Promise<void> {
    await cluster.join('m1');
    await cluster.submit('a.service');
    await cluster.settle();
    await cluster.report('a.service', 'm1');
  }

  test('an inactive unit is told to leave, and its key goes when the agent has answered', async () => {
    await cluster.lead();
    await placed();
    await cluster.submit('a.service', { desired: 'inactive' });
    await cluster.settle();
    assert.deepEqual(await cluster.layout(), ['a.service @ m1 leaving']);
    await cluster.acknowledge('a.service', 'm1');
    await cluster.settle();
    assert.deepEqual(await cluster.layout(), []);
  });

  test('a destroyed unit is told to leave with the uid that it had', async () => {
    await cluster.lead();
    await placed();
    const before = await cluster.findSchedule('a.service', 'm1');
    await cluster.destroy('a.service');
    await cluster.settle();
    assert.deepEqual(await cluster.findSchedule('a.service', 'm1'), { ...before, isLeaving: true });
  });

  test('a unit stops on its machine before it starts on the next', async () => {
    await cluster.lead();
    await placed();
    await cluster.join('m2', { metadata: { role: 'db' } });
    await cluster.submit('a.service', { fleet: 'MachineMetadata=role=db' });
    await cluster.settle();
    assert.deepEqual(await cluster.layout(), ['a.service @ m1 leaving']);
    assert.deepEqual((await cluster.findReason('a.service'))?.misfits, { 'leaving:m1': 1 });
    await cluster.acknowledge('a.service', 'm1');
    await cluster.settle();
    assert.deepEqual(await cluster.layout(), ['a.service > m2', 'a.service @ m2']);
    assert.equal(await cluster.findReason('a.service'), undefined);
  });

  test('a unit whose schedule key is missing leaves its machine, too, before it starts on the next', async () => {
    await cluster.lead();
    await placed();
    await cluster.join('m2', { metadata: { role: 'db' } });
    const key = keys.schedule(parseMachineId('m1'), parseUnitName('a.service'));
    await Promise.all([
      cluster.write({ kind: 'delete', from: key }),
      cluster.submit('a.service', { fleet: 'MachineMetadata=role=db' }),
    ]);
    await cluster.settle();
    assert.deepEqual(await cluster.layout(), ['a.service @ m1 leaving']);
    await cluster.acknowledge('a.service', 'm1');
    await cluster.settle();
    assert.deepEqual(await cluster.layout(), ['a.service > m2', 'a.service @ m2']);
  });

  test('what follows an answer relies on the machine still being there: its rows go with its lease, too', async () => {
    const { store } = await cluster.lead();
    await placed();
    await cluster.submit('a.service', { desired: 'inactive' });
    await cluster.settle();
    const [kv] = (await cluster.store.range(ranges.machines)).kvs;
    store.transactions.length = 0;
    await cluster.acknowledge('a.service', 'm1');
    await cluster.settle();
    const compared = store.transactions[0]?.compares?.find(({ key }) => key === kv?.key);
    assert.deepEqual(compared, { key: kv?.key, on: 'create-revision', equals: kv?.createRevision });
    assert.deepEqual(await cluster.layout(), []);
  });

  test('a unit that is wanted again waits until it has left, and may come back to the same machine', async () => {
    await cluster.lead();
    await placed();
    await cluster.submit('a.service', { desired: 'inactive' });
    await cluster.settle();
    await cluster.submit('a.service', { order: 2 });
    await cluster.settle();
    assert.deepEqual(await cluster.layout(), ['a.service @ m1 leaving']);
    await cluster.acknowledge('a.service', 'm1');
    await cluster.settle();
    assert.deepEqual(await cluster.layout(), ['a.service > m1', 'a.service @ m1']);
    assert.equal((await cluster.findSchedule('a.service', 'm1'))?.order, 2);
  });

  test('a state row that went before the unit was told to leave is no answer', async () => {
    await cluster.lead();
    await placed();
    await cluster.acknowledge('a.service', 'm1');
    await cluster.settle();
    await cluster.submit('a.service', { desired: 'inactive' });
    await cluster.settle();
    assert.deepEqual(await cluster.layout(), ['a.service @ m1 leaving']);
  });

  test('an answer counts even if it comes before the leader knows that its order was written', async () => {
    const { store } = await cluster.lead();
    await placed();
    const transact = store.client.transact.bind(store.client);
    const answer = gate();
    store.client.transact = async (transaction) => {
      const result = await transact(transaction);
      await answer.opened;
      return result;
    };
    await cluster.submit('a.service', { desired: 'inactive' });
    await cluster.settle();
    assert.deepEqual(await cluster.layout(), ['a.service @ m1 leaving']);
    await cluster.acknowledge('a.service', 'm1');
    await cluster.settle();
    answer.open();
    await cluster.settle();
    assert.deepEqual(await cluster.layout(), []);
  });

  test('nobody waits for the answer of a machine that is gone', async () => {
    await cluster.lead();
    await placed();
    await cluster.submit('a.service', { desired: 'inactive' });
    await cluster.settle();
    await cluster.lose('m1');
    await cluster.settle();
    assert.deepEqual(await cluster.layout(), []);
  });

  test('a new leader asks again where there is no state row, and only there', async () => {
    const first = await cluster.lead();
    await placed();
    await cluster.submit('b.service');
    await cluster.settle();
    await cluster.report('b.service', 'm1');
    await cluster.submit('a.service', { desired: 'inactive' });
    await cluster.submit('b.service', { desired: 'inactive' });
    await cluster.settle();
    await first.engine.close({ resign: true });
    await cluster.acknowledge('a.service', 'm1');
    const modRevisions = async () =>
      (await cluster.store.range(ranges.schedule)).kvs.map(({ key, modRevision }) => [key, modRevision] as const);
    const before = new Map(await modRevisions());
    await cluster.lead('e2');
    const asked = (await modRevisions()).filter(([key, revision]) => before.get(key) !== revision);
    assert.deepEqual(
      asked.map(([key]) => key),
      ['schedule/m1/a.service'],
    );
    await cluster.report('a.service', 'm1');
    await cluster.acknowledge('a.service', 'm1');
    await cluster.acknowledge('b.service', 'm1');
    await cluster.settle();
    assert.deepEqual(await cluster.layout(), []);
  });
});
