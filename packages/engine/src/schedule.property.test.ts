import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Cluster, isWanted, type MachineId } from '@flotilla/cluster';
import fc from 'fast-check';
import { arbitraryId, clusters } from './arbitrary-cluster-harness.js';
import { brokenRules, isLostTo, isStuckSomewhere, needsMachine } from './rules-oracle.js';
import { applyDecisions, schedule } from './schedule.js';
import { reasonToWait, scheduleByBruteForce } from './schedule-oracle.js';

/** Clusters are small and quick to decide about, and there are many ways to mix the rules. */
const numRuns = 4 * (fc.readConfigureGlobal().numRuns ?? 200);

test('it is idempotent: once carried out, nothing is left to decide', () => {
  forEachCluster((cluster) => {
    const after = applyDecisions(cluster, schedule(cluster).decisions);
    assert.deepEqual(schedule(after).decisions, []);
  });
});

test('it is safe: whatever it schedules is wanted, has left its last machine, and fits among the others', () => {
  forEachCluster((cluster) => {
    const { decisions } = schedule(cluster);
    const after = applyDecisions(cluster, decisions);
    for (const decision of decisions) {
      if (decision.kind !== 'schedule') continue;
      const unit = cluster.units.get(decision.unit);
      const machine = cluster.machines.get(decision.machine);
      assert.ok(needsMachine(unit) && machine !== undefined);
      for (const id of cluster.leaving.get(unit.name) ?? []) assert.ok(isLostTo(cluster, id));
      assert.deepEqual(brokenRules(after, unit, { machine, as: 'there' }), []);
      const { placements } = after;
      const others = { ...after, placements: new Map([...placements].filter(([name]) => name !== unit.name)) };
      const asNew = brokenRules(others, unit, { machine, as: 'home' });
      assert.deepEqual(
        asNew.filter(({ kind }) => kind === 'conflict'),
        [],
      );
    }
  });
});

test('it is safe: nothing that stays where it is breaks a rule there', () => {
  forEachCluster((cluster) => {
    const after = applyDecisions(cluster, schedule(cluster).decisions);
    for (const [name, { machine: id }] of after.placements) {
      const unit = after.units.get(name);
      const machine = after.machines.get(id);
      if (machine === undefined || after.unreadable.units.has(name)) continue;
      assert.ok(needsMachine(unit));
      assert.deepEqual(brokenRules(after, unit, { machine, as: 'there' }), []);
    }
  });
});

test('it is calm: what is taken off a machine does not fit there any more, or is replaced', () => {
  forEachCluster((cluster) => {
    const { decisions } = schedule(cluster);
    const after = applyDecisions(cluster, decisions);
    for (const decision of decisions) {
      if (decision.kind !== 'unschedule') continue;
      const { unit: name, machine: id, why } = decision;
      const unit = cluster.units.get(name);
      const machine = cluster.machines.get(id);
      if (why.kind !== 'misfit') assert.equal(why.kind === 'machine-lost', isLostTo(cluster, id) && needsMachine(unit));
      if (why.kind === 'misfit') assert.ok(machine !== undefined && needsMachine(unit) && why.misfits.length > 0);
      // What replaces it may be driven away by what is placed next.
      const replacer = why.kind === 'replaced' ? [cluster, after].map((at) => at.placements.get(why.by)?.machine) : [];
      if (why.kind === 'replaced') assert.ok(replacer.includes(id) && needsMachine(unit));
      if (why.kind === 'destroyed') assert.equal(unit, undefined);
      if (why.kind === 'inactive' || why.kind === 'template') assert.ok(unit !== undefined && !isWanted(unit));
    }
  });
});

test('it is order-blind: the order of its input changes nothing', () => {
  forEachCluster((cluster) => {
    const turned: Cluster = {
      ...cluster,
      units: reversed(cluster.units),
      machines: reversed(cluster.machines),
      placements: reversed(cluster.placements),
      leaving: reversed(cluster.leaving),
    };
    const [plan, other] = [schedule(cluster), schedule(turned)];
    assert.deepEqual([...other.decisions], [...plan.decisions]);
    assert.deepEqual([...other.blocked], [...plan.blocked]);
    assert.deepEqual([...other.idleGlobals], [...plan.idleGlobals]);
  });
});

test('it agrees with a scheduler that finds everything out anew at each step', () => {
  forEachCluster((cluster) => {
    const [plan, expected] = [schedule(cluster), scheduleByBruteForce(cluster)];
    assert.deepEqual([...plan.decisions], [...expected.decisions]);
    assert.deepEqual([...plan.blocked], [...expected.blocked]);
    assert.deepEqual([...plan.idleGlobals], [...expected.idleGlobals]);
  });
});

test('it gives a reason for every wanted unit that it leaves without a machine, and for no other', () => {
  forEachCluster((cluster) => {
    const { decisions, blocked } = schedule(cluster);
    const after = applyDecisions(cluster, decisions);
    for (const [name, unit] of after.units) {
      const isNowhere = !after.placements.has(name) || isStuckSomewhere(after, name);
      const isWaiting = needsMachine(unit) && isNowhere && !after.unreadable.units.has(name);
      assert.deepEqual(blocked.get(name), isWaiting ? reasonToWait(after, unit) : undefined, name);
    }
    for (const [name, { machines, misfits }] of blocked) {
      assert.ok(after.units.has(name));
      const isCounted = !/"(leaving|awaits-peer):/.test(JSON.stringify(misfits));
      const count = Object.values(misfits).reduce((sum, each) => sum + each, 0);
      assert.ok(!isCounted || count === machines, 'each machine rules it out once');
    }
  });
});

test('it comes to rest, whatever has happened: units do not drive each other around', () => {
  const happenings = fc.array(fc.record({ lost: fc.option(arbitraryId), isSlow: fc.array(fc.boolean()) }), {
    maxLength: 8,
  });
  fc.assert(
    fc.property(clusters, happenings, (start, happened) => {
      let cluster = start;
      for (const { lost, isSlow } of happened) {
        if (lost !== null) cluster = withMachine(cluster, start, lost);
        cluster = letLeave(applyDecisions(cluster, schedule(cluster).decisions), isSlow);
      }
      for (let round = 0; round < longestUnrest; round++) {
        const { decisions } = schedule(cluster);
        if (decisions.length === 0 && cluster.leaving.size === 0) return;
        cluster = letLeave(applyDecisions(cluster, decisions), []);
      }
      assert.fail(`no rest after ${longestUnrest} rounds`);
    }),
    { numRuns },
  );
});

/** Each unit may be driven off by each other one, and then some. */
const longestUnrest = 60;

function forEachCluster(check: (cluster: Cluster) => void): void {
  fc.assert(fc.property(clusters, check), { numRuns });
}

/** Loses a machine, or brings it back as it was. */
function withMachine(cluster: Cluster, start: Cluster, id: MachineId): Cluster {
  const machines = new Map(cluster.machines);
  const machine = start.machines.get(id);
  if (!machines.delete(id) && machine !== undefined) machines.set(id, machine);
  return { ...cluster, machines };
}

/** Units leave their machines, except those that are slow; what was placed now is placed earlier than what comes. */
function letLeave(cluster: Cluster, isSlow: readonly boolean[]): Cluster {
  const sinces = [...cluster.placements.values()]
    .map(({ since }) => since)
    .filter((since) => Number.isSafeInteger(since + 1));
  const next = Math.max(0, ...sinces) + 1;
  return {
    ...cluster,
    leaving: new Map([...cluster.leaving].filter((_, at) => isSlow[at] ?? false)),
    placements: new Map(
      [...cluster.placements].map(([name, placed]) => [name, { ...placed, since: Math.min(placed.since, next) }]),
    ),
  };
}

function reversed<K, V>(map: ReadonlyMap<K, V>): Map<K, V> {
  return new Map([...map].reverse());
}
