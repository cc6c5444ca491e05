import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MachineId } from '@flotilla/cluster';
import fc from 'fast-check';
import type { LossPlan } from './loss-policy.js';
import { idOf, TestLosses } from './test-losses.js';

const count = 12;
const limits = {
  graceMs: 30,
  settleMs: 10,
  brakePercent: 50,
  brakeWindowMs: 60,
  burstPercent: 25,
  intervalMs: 20,
};

/** Something that machines, people or time do; `says` is for the counterexample. */
interface Step {
  readonly says: string;
  readonly take: (cluster: TestLosses) => unknown;
}

const machine = fc.integer({ min: 1, max: count }).map(idOf);

function onMachine(says: string, act: (cluster: TestLosses, id: MachineId) => void): fc.Arbitrary<Step> {
  return machine.map((id) => ({ says: `${says} ${id}`, take: (cluster) => act(cluster, id) }));
}

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: onMachine('go', (cluster, id) => cluster.go(id)) },
  { weight: 3, arbitrary: onMachine('come', (cluster, id) => cluster.come(id)) },
  onMachine('leave', (cluster, id) => cluster.leave(id)),
  onMachine('release', (cluster, id) => cluster.release(id)),
  onMachine('empty', (cluster, id) => cluster.units.set(id, 0)),
  {
    weight: 4,
    arbitrary: fc.nat({ max: 40 }).map((ms) => ({ says: `${ms} ms`, take: (cluster: TestLosses) => cluster.wait(ms) })),
  },
);

const leaderChange: fc.Arbitrary<Step> = fc.integer({ min: -10_000, max: 10_000 }).map((skewMs) => ({
  says: `new leader, ${skewMs} ms off`,
  take: (cluster) => cluster.changeLeader(skewMs),
}));

/** Takes steps, decides after each one and whenever it is time to, and shows what came of it. */
function live(steps: readonly Step[], onPlan: (plan: LossPlan, cluster: TestLosses) => void = () => {}): TestLosses {
  const cluster = new TestLosses(count, limits);
  cluster.onPlan = (plan) => onPlan(plan, cluster);
  for (const { take } of steps) {
    take(cluster);
    cluster.plan();
  }
  return cluster;
}

const history = fc.array(step, { minLength: 5, maxLength: 60 });
const historyWithLeaders = fc.array(fc.oneof({ weight: 15, arbitrary: step }, leaderChange), {
  minLength: 5,
  maxLength: 60,
});

test('a machine that is alive, or has left, is nobody to conclude anything from', () => {
  fc.assert(
    fc.property(historyWithLeaders, (steps) => {
      live(steps, ({ losses }, cluster) => {
        for (const id of losses.keys()) assert.ok(cluster.isMissing(id), id);
      });
    }),
  );
});

test('no more machines are lost in any time than the rate allows', () => {
  fc.assert(
    fc.property(history, (steps) => {
      const lostAtMs: number[] = [];
      let known = new Map<MachineId, string>();
      live(steps, ({ losses }, { nowMs }) => {
        for (const [id, { state, isReleased, units, at }] of losses) {
          const isNew = state === 'lost' && known.get(id) !== `lost ${at}`;
          if (isNew && isReleased === undefined && units > 0) lostAtMs.push(nowMs);
        }
        known = new Map([...losses].map(([id, { state, at }]) => [id, `${state} ${at}`]));
      });
      const burst = Math.floor((count * limits.burstPercent) / 100);
      for (const [first, fromMs] of lostAtMs.entries())
        for (const [last, toMs] of lostAtMs.entries())
          assert.ok(last - first + 1 <= burst + Math.floor((toMs - fromMs) / limits.intervalMs) || last < first);
    }),
  );
});

test('while the brake holds, only what is released is lost; it holds while fewer than half are back', () => {
  fc.assert(
    fc.property(historyWithLeaders, (steps) => {
      let before: LossPlan | undefined;
      live(steps, (plan, cluster) => {
        const isNews = ([id, { state, isReleased }]: readonly [MachineId, { state: string; isReleased?: true }]) =>
          state === 'lost' && isReleased === undefined && before?.losses.get(id)?.state !== 'lost';
        if (plan.brake !== undefined) {
          assert.deepEqual([...plan.losses].filter(isNews), []);
          assert.ok(plan.brake.gone * 2 > plan.brake.joined);
          assert.equal(plan.brake.joined - plan.brake.gone, cluster.alive.size);
        }
        const open = [...plan.losses.values()].filter(({ state }) => state !== 'lost').length;
        const isStuck = open * 2 > open + cluster.alive.size;
        if (isStuck && before?.brake !== undefined) assert.ok(plan.brake !== undefined, 'it let go');
        before = plan;
      });
    }),
  );
});

test('who is gone long enough, and no brake holds, is lost in the end', () => {
  fc.assert(
    fc.property(historyWithLeaders, (steps) => {
      const cluster = live(steps);
      const { losses, brake } = cluster.wait(1_000);
      for (const { state } of losses.values()) assert.ok(state === 'lost' || brake !== undefined, state);
    }),
  );
});

test('a decision depends on nothing but what it is given, and is not taken twice', () => {
  fc.assert(
    fc.property(historyWithLeaders, (steps) => {
      const [one, other] = [live(steps), live(steps)];
      assert.deepEqual([...one.recorded], [...other.recorded]);
      assert.deepEqual([...one.plan().losses], [...other.recorded]);
    }),
  );
});
