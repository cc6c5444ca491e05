import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ranges } from '@flotilla/registry';
import { isPlan, TestCluster } from './test-cluster.js';

test('a global unit that was to run by a plan that came to nothing has a reason to run nowhere', async () => {
  const cluster = new TestCluster();
  const leader = await cluster.lead('e1');
  await cluster.register('m1');
  for (const name of ['a.service', 'b.service', 'c@1.service']) await cluster.submit(name);
  await cluster.settle();
  leader.store.before = async (transaction) => {
    if (!isPlan(transaction)) return;
    leader.store.before = async () => {};
    await cluster.lose('m1');
  };
  await cluster.submit('b.service', { fleet: 'MachineMetadata=role=db' });
  await cluster.submit('a.service', { fleet: 'MachineOf=b.service\nConflicts=c@*' });
  await cluster.submit('e.service', { fleet: 'Global=true\nConflicts=?.service' });
  await cluster.settle();
  await cluster.clock.advance(120_000);
  await cluster.settle();
  const reasons = await cluster.keysOf(ranges.reasons);
  assert.ok(reasons.includes('reasons/e.service'), reasons.join());
  await cluster.close();
});
