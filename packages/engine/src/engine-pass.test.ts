import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { EnginePass } from './engine-pass.js';
import { isPlan, TestCluster } from './test-cluster.js';

let cluster: TestCluster;
beforeEach(() => {
  cluster = new TestCluster();
});
afterEach(() => cluster.close());

type Count = Omit<EnginePass, 'durationMs'>;
const none = { decided: 0, failed: 0 };
const quiet: Count = { scheduled: none, unscheduled: none, fromLost: 0, misfits: 0, blocked: 0 };

/** What has been told of passes since it was asked last. */
function takePasses(): Count[] {
  return cluster.passes.splice(0).map(({ durationMs, ...count }) => {
    assert.ok(durationMs >= 0);
    return count;
  });
}

describe('what an engine tells of its passes', () => {
  test('is each of them once: one start is one decision in one pass', async () => {
    await cluster.lead();
    await cluster.join('m1');
    await cluster.settle();
    takePasses();
    await cluster.submit('a.service');
    await cluster.settle();
    const [pass, ...later] = takePasses();
    assert.deepEqual(pass, { ...quiet, scheduled: { decided: 1, failed: 0 } });
    // The watch tells of what was written; there is nothing more to decide then.
    for (const each of later) assert.deepEqual(each, quiet);
  });

  test('is why units leave, and which fit nowhere', async () => {
    await cluster.lead();
    for (const id of ['m1', 'm2']) await cluster.join(id, { metadata: { at: id } });
    await cluster.submit('a.service', { fleet: 'MachineMetadata=at=m1' });
    await cluster.submit('b.service', { fleet: 'MachineMetadata=at=m2' });
    await cluster.settle();
    takePasses();
    await cluster.join('m2', { metadata: { at: 'elsewhere' } });
    await cluster.settle();
    assert.deepEqual(takePasses()[0], { ...quiet, unscheduled: { decided: 1, failed: 0 }, misfits: 1 });
    await cluster.lose('m1');
    await cluster.settle();
    const lost = takePasses().find(({ fromLost }) => fromLost > 0);
    assert.deepEqual(lost, { ...quiet, unscheduled: { decided: 1, failed: 0 }, fromLost: 1, blocked: 1 });
  });

  test('is what did not get into the store as a failure', async () => {
    const { store } = await cluster.lead();
    await cluster.join('m1');
    await cluster.settle();
    takePasses();
    let refusals = 0;
    store.before = async (transaction) => {
      if (isPlan(transaction) && refusals++ === 0) throw new Error('not this one');
    };
    await cluster.submit('a.service');
    await cluster.clock.advance(2_000);
    const [failed, ...later] = takePasses();
    assert.deepEqual(failed, { ...quiet, scheduled: { decided: 1, failed: 1 } });
    assert.deepEqual(later[0], { ...quiet, scheduled: { decided: 1, failed: 0 } });
  });

  test('comes from nobody who does not lead', async () => {
    const { engine } = await cluster.lead('e1');
    const second = await cluster.lead('e2');
    await cluster.join('m1');
    await cluster.settle();
    const sinceMs = engine.leadingSinceMs ?? 0;
    assert.ok(sinceMs > 0 && sinceMs < cluster.clock.now());
    assert.equal(second.engine.leadingSinceMs, undefined);
    await engine.close({ resign: true });
    takePasses();
    await cluster.settle();
    assert.equal(engine.leadingSinceMs, undefined);
    assert.ok((second.engine.leadingSinceMs ?? 0) > sinceMs);
    assert.equal(takePasses().length, 1);
  });
});
