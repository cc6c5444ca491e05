import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ClusterSettings, defaultSettings } from '@flotilla/cluster';
import { lossLimits } from './loss-policy.js';
import { countStates, idOf, idsOf, TestLosses } from './test-losses.js';

/** A third of `agent_ttl` and 2 s, `agent_ttl`, and twice that. */
const settleMs = 12_000;
const graceMs = 30_000;
const windowMs = 60_000;

test('the times that nobody has set come from the options of the host that leads', () => {
  const agentTtlMs = 9_000;
  assert.deepEqual(lossLimits(defaultSettings, { agentTtlMs }), {
    graceMs: 9_000,
    settleMs: 5_000,
    brakePercent: 50,
    brakeWindowMs: 18_000,
    burstPercent: 10,
    intervalMs: 10_000,
  });
  assert.equal(lossLimits(defaultSettings, { agentTtlMs, graceMs: 1 }).graceMs, 1);
});

test('each number is a setting', () => {
  const set: ClusterSettings = {
    ...defaultSettings,
    lossGraceMs: 2,
    lossSettleMs: 0,
    lossBrakePercent: 3,
    lossBrakeWindowMs: 4,
    lossBurstPercent: 5,
    lossIntervalMs: 6,
  };
  assert.deepEqual(lossLimits(set, { agentTtlMs: 9_000, graceMs: 1 }), {
    graceMs: 2,
    settleMs: 0,
    brakePercent: 3,
    brakeWindowMs: 4,
    burstPercent: 5,
    intervalMs: 6,
  });
});

describe('waiting', () => {
  test('a machine that was alive a moment ago is waited for as long as others may follow it', () => {
    const cluster = new TestLosses(3);
    cluster.go(idOf(1));
    assert.equal(countStates(cluster.wait(settleMs - 1)), 'grace 1');
    assert.equal(countStates(cluster.plan(1)), 'lost 1');
    assert.equal(cluster.plan().nextAtMs, undefined);
  });

  test('that is told not to wait loses it at once', () => {
    const cluster = new TestLosses(3, { settleMs: 0 });
    cluster.go(idOf(1));
    assert.equal(countStates(cluster.plan()), 'lost 1');
    cluster.changeLeader();
    cluster.go(idOf(2));
    // A new leader waits for those that it has never seen.
    assert.equal(countStates(cluster.plan()), 'lost 1, grace 1');
  });

  test('one that a new leader has never seen is waited for longer, from when it began to lead', () => {
    const cluster = new TestLosses(3);
    cluster.go(idOf(1));
    cluster.wait(settleMs / 2);
    cluster.changeLeader();
    assert.equal(countStates(cluster.wait(graceMs - 1)), 'grace 1');
    assert.equal(countStates(cluster.wait(1)), 'lost 1');
  });

  test('one that came and went before the leader looked is waited for, too', () => {
    const cluster = new TestLosses(3);
    cluster.wait(windowMs);
    cluster.come(idOf(4));
    cluster.go(idOf(4));
    assert.equal(countStates(cluster.wait(settleMs - 1)), 'grace 1');
    assert.equal(countStates(cluster.wait(1)), 'lost 1');
  });

  test('one that is back is as if it had never gone', () => {
    const cluster = new TestLosses(3);
    cluster.go(idOf(1));
    cluster.wait(settleMs - 1);
    cluster.come(idOf(1));
    assert.equal(countStates(cluster.plan()), '');
    cluster.go(idOf(1));
    assert.equal(countStates(cluster.wait(settleMs - 1)), 'grace 1');
  });

  test('one that leaves while it is waited for is nobody to decide about', () => {
    const cluster = new TestLosses(3);
    cluster.go(idOf(1));
    cluster.plan();
    cluster.leave(idOf(1));
    assert.equal(countStates(cluster.plan()), '');
  });

  test('what a leader has decided stands for the next one', () => {
    const cluster = new TestLosses(3);
    cluster.go(idOf(1));
    cluster.wait(settleMs);
    cluster.changeLeader();
    assert.equal(countStates(cluster.plan()), 'lost 1');
  });
});

describe('the brake', () => {
  const sizes = [
    [1, 1, 'brake 1', 'the only machine'],
    [2, 1, 'lost 1', 'one of two'],
    [2, 2, 'brake 2', 'both of two'],
    [3, 1, 'lost 1', 'one of three'],
    [3, 2, 'brake 2', 'two of three'],
    [10, 5, 'lost 1, rate 4', 'half'],
    [10, 6, 'brake 6', 'more than half'],
  ] as const;
  for (const [count, gone, states, says] of sizes)
    test(`${says}: ${states}`, () => {
      const cluster = new TestLosses(count);
      cluster.go(...idsOf(1, gone));
      assert.equal(countStates(cluster.wait(settleMs)), states);
    });

  test('says how many are gone, of how many', () => {
    const cluster = new TestLosses(10);
    cluster.go(...idsOf(1, 6));
    assert.deepEqual(cluster.wait(settleMs).brake, { gone: 6, joined: 10 });
  });

  test('counts machines that go one after the other within its window', () => {
    const cluster = new TestLosses(5);
    for (const id of idsOf(1, 2)) {
      cluster.go(id);
      cluster.wait(windowMs / 2 - 1);
    }
    cluster.go(idOf(3));
    assert.equal(countStates(cluster.wait(settleMs)), 'lost 2, brake 1');
  });

  test('does not count those that were lost before', () => {
    const cluster = new TestLosses(5);
    for (const id of idsOf(1, 3)) {
      cluster.go(id);
      assert.match(countStates(cluster.wait(windowMs)), /^lost \d$/);
    }
    // Two are left, and one of two may go.
    cluster.go(idOf(4));
    assert.equal(countStates(cluster.wait(settleMs)), 'lost 4');
  });

  test('counts those that are still waited for, however long', () => {
    const cluster = new TestLosses(10, { graceMs: 10 * windowMs });
    cluster.go(...idsOf(1, 6));
    cluster.changeLeader();
    assert.equal(countStates(cluster.wait(10 * windowMs - 1)), 'grace 6');
    assert.equal(countStates(cluster.wait(1)), 'brake 6');
  });

  test('is held for ever, and by the next leader, too', () => {
    const cluster = new TestLosses(10);
    cluster.go(...idsOf(1, 6));
    assert.equal(countStates(cluster.wait(24 * 3_600_000)), 'brake 6');
    cluster.changeLeader(-3_600_000);
    assert.equal(countStates(cluster.wait(24 * 3_600_000)), 'brake 6');
    cluster.changeLeader(3_600_000);
    assert.equal(countStates(cluster.plan()), 'brake 6');
  });

  test('holds who goes while it does', () => {
    const cluster = new TestLosses(10);
    cluster.go(...idsOf(1, 6));
    cluster.wait(settleMs);
    cluster.go(idOf(7));
    assert.equal(countStates(cluster.plan()), 'brake 7');
    assert.equal(countStates(cluster.wait(settleMs)), 'brake 7');
  });

  test('goes on for the others when the one leaves whose time was up first', () => {
    const cluster = new TestLosses(10);
    cluster.go(...idsOf(1, 6));
    cluster.plan();
    cluster.changeLeader();
    cluster.plan();
    cluster.go(idOf(7));
    assert.equal(countStates(cluster.wait(settleMs)), 'brake 7');
    cluster.leave(idOf(7));
    const plan = cluster.plan();
    assert.deepEqual([plan.brake, countStates(plan)], [{ gone: 6, joined: 9 }, 'brake 6']);
  });

  test('ends when half are back; the others are waited for once more, then lost at the rate', () => {
    const cluster = new TestLosses(10);
    cluster.go(...idsOf(1, 6));
    cluster.wait(windowMs);
    cluster.come(idOf(6));
    const plan = cluster.plan();
    assert.deepEqual([plan.brake, countStates(plan)], [undefined, 'grace 5']);
    assert.equal(countStates(cluster.wait(graceMs - 1)), 'grace 5');
    assert.equal(countStates(cluster.wait(1)), 'lost 1, rate 4');
    assert.equal(countStates(cluster.wait(40_000)), 'lost 5');
  });

  test('ends when as many new machines have joined', () => {
    const cluster = new TestLosses(3);
    cluster.go(...idsOf(1, 2));
    assert.equal(countStates(cluster.wait(settleMs)), 'brake 2');
    cluster.come(idOf(4));
    assert.equal(countStates(cluster.wait(graceMs)), 'lost 1, rate 1');
  });

  test('is not ended by time, although a machine was lost just before', () => {
    const cluster = new TestLosses(11);
    cluster.go(idOf(11));
    cluster.wait(settleMs);
    cluster.go(...idsOf(1, 5));
    assert.equal(countStates(cluster.wait(settleMs)), 'lost 1, brake 5');
    assert.equal(countStates(cluster.wait(10 * windowMs)), 'lost 1, brake 5');
  });

  test('at 100 % is none', () => {
    const cluster = new TestLosses(10, { brakePercent: 100 });
    cluster.go(...idsOf(1, 10));
    assert.equal(countStates(cluster.wait(settleMs)), 'lost 1, rate 9');
  });
});

describe('a release', () => {
  test('of one machine moves that one, and lets go of no other', () => {
    const cluster = new TestLosses(10);
    cluster.go(...idsOf(1, 6));
    cluster.wait(settleMs);
    cluster.release(idOf(3));
    cluster.release(idOf(4));
    assert.equal(countStates(cluster.plan()), 'lost 2, brake 4');
    assert.equal(countStates(cluster.wait(10 * windowMs)), 'lost 2, brake 4');
    cluster.changeLeader();
    assert.equal(countStates(cluster.wait(10 * windowMs)), 'lost 2, brake 4');
  });

  test('of all ends the brake, and waits neither for grace nor rate', () => {
    const cluster = new TestLosses(10);
    cluster.go(...idsOf(1, 5));
    cluster.wait(settleMs);
    cluster.go(idOf(6));
    cluster.plan();
    for (const id of idsOf(1, 6)) cluster.release(id);
    const plan = cluster.plan();
    assert.deepEqual([countStates(plan), plan.brake], ['lost 6', undefined]);
  });

  test('says that it was no false alarm: who goes next is not held for it', () => {
    const cluster = new TestLosses(10);
    cluster.go(...idsOf(1, 6));
    cluster.wait(settleMs);
    for (const id of idsOf(1, 6)) cluster.release(id);
    cluster.plan();
    cluster.go(idOf(7));
    assert.equal(countStates(cluster.wait(graceMs)), 'lost 7');
  });

  test('holds for one absence: a machine that comes back and goes again is decided about anew', () => {
    const cluster = new TestLosses(3);
    cluster.go(...idsOf(1, 2));
    cluster.wait(settleMs);
    cluster.release(idOf(1));
    cluster.plan();
    cluster.come(idOf(1));
    cluster.plan();
    cluster.go(idOf(1));
    assert.equal(countStates(cluster.wait(graceMs)), 'brake 2');
  });
});

describe('the rate', () => {
  test('takes a tenth at once, then one each interval, who went first first', () => {
    const cluster = new TestLosses(100);
    cluster.go(...idsOf(21, 40));
    cluster.wait(1_000);
    cluster.go(...idsOf(1, 10));
    assert.equal(countStates(cluster.wait(settleMs)), 'lost 10, rate 20');
    assert.deepEqual([cluster.recorded.get(idOf(30))?.state, cluster.recorded.get(idOf(1))?.state], ['lost', 'rate']);
    assert.equal(countStates(cluster.wait(8_999)), 'lost 10, rate 20');
    assert.equal(countStates(cluster.wait(1)), 'lost 11, rate 19');
    assert.equal(cluster.recorded.get(idOf(31))?.state, 'lost');
    assert.equal(countStates(cluster.wait(190_000)), 'lost 30');
  });

  test('takes one at once from a few machines', () => {
    const cluster = new TestLosses(5);
    cluster.go(...idsOf(1, 2));
    assert.equal(countStates(cluster.wait(settleMs)), 'lost 1, rate 1');
    assert.equal(countStates(cluster.wait(10_000)), 'lost 2');
  });

  test('does not count what was released', () => {
    const cluster = new TestLosses(10);
    cluster.go(...idsOf(1, 5));
    cluster.plan();
    for (const id of idsOf(1, 5)) cluster.release(id);
    cluster.plan();
    cluster.go(idOf(6));
    cluster.changeLeader();
    assert.equal(countStates(cluster.wait(graceMs)), 'lost 6');
  });

  test('goes on under a new leader', () => {
    const cluster = new TestLosses(100);
    cluster.go(...idsOf(1, 20));
    cluster.wait(settleMs);
    cluster.changeLeader();
    assert.equal(countStates(cluster.wait(graceMs)), 'lost 13, rate 7');
  });

  test('is not bettered by machines that come back', () => {
    const cluster = new TestLosses(20);
    cluster.go(...idsOf(1, 4));
    assert.equal(countStates(cluster.wait(settleMs)), 'lost 2, rate 2');
    for (const id of idsOf(1, 2)) cluster.come(id);
    assert.equal(countStates(cluster.wait(1)), 'rate 2');
  });

  test('is not for machines without units', () => {
    const cluster = new TestLosses(10);
    for (const id of idsOf(1, 4)) cluster.units.set(id, 0);
    cluster.go(...idsOf(1, 5));
    assert.equal(countStates(cluster.wait(settleMs)), 'lost 5');
  });

  test('does not wait for a clock that was ahead', () => {
    const cluster = new TestLosses(10);
    cluster.changeLeader(24 * 3_600_000);
    cluster.go(...idsOf(1, 3));
    assert.equal(countStates(cluster.wait(graceMs + 20_000)), 'lost 3');
    cluster.come(idOf(1));
    cluster.go(idOf(4), idOf(5));
    cluster.changeLeader();
    assert.equal(countStates(cluster.wait(graceMs + 20_000)), 'lost 4');
  });
});
