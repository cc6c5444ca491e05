import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Cluster,
  isWanted,
  type LaunchState,
  type Machine,
  type MachineId,
  misfits,
  parseMachineId,
  type Unit,
} from '@flotilla/cluster';
import { parseUnitName, type UnitHash, type UnitName } from '@flotilla/unit';
import fc from 'fast-check';
import { applyDecisions, schedule } from './schedule.js';

const names = ['a.service', 'b.service', 'c@.service', 'c@1.service', 'd.timer'].map(parseUnitName);
const ids = ['m1', 'm2', 'm3', 'm4'].map(parseMachineId);
const roles = ['db', 'web'];

const units = fc
  .array(
    fc.record({
      name: fc.constantFrom(...names),
      desiredState: fc.constantFrom<LaunchState>('inactive', 'loaded', 'launched', 'launched'),
      isGlobal: fc.boolean(),
      machineId: fc.option(fc.constantFrom(...ids), { nil: undefined, freq: 4 }),
      role: fc.option(fc.constantFrom(...roles), { nil: undefined }),
      runsOn: fc.option(fc.constantFrom(...ids), { nil: undefined }),
    }),
    { maxLength: 5 },
  )
  .map((drawn) =>
    drawn.map(({ name, desiredState, isGlobal, machineId, role, runsOn }): Unit => {
      const metadata = new Map(role === undefined ? [] : [['role', [role]]]);
      const requirements = { isGlobal, machineId, metadata, machineOf: [], conflicts: [], replaces: [] };
      return {
        name,
        hash: '' as UnitHash,
        desiredState,
        requirements,
        ...(runsOn && { runsOn: { machine: runsOn, asOf: 1 } }),
      };
    }),
  );

const machines = fc.array(
  fc.record({
    id: fc.constantFrom(...ids),
    metadata: fc.option(fc.constantFrom(...roles), { nil: undefined }).map((role) => metadataOf(role)),
    isClosed: fc.boolean(),
    since: fc.nat({ max: 2 }),
  }),
  { maxLength: 4 },
);

const pairs = fc.array(fc.tuple(fc.constantFrom(...names), fc.constantFrom(...ids)), { maxLength: 4 });

const clusters: fc.Arbitrary<Cluster> = fc
  .record({
    units,
    machines,
    placements: pairs,
    leaving: pairs,
    unreadableUnits: fc.subarray(names, { maxLength: 1 }),
    unreadableMachines: fc.subarray(ids, { maxLength: 1 }),
  })
  .map((drawn) => ({
    units: new Map(drawn.units.map((unit) => [unit.name, unit])),
    machines: new Map(drawn.machines.map((machine) => [machine.id, machine])),
    placements: new Map(drawn.placements),
    leaving: new Map(drawn.leaving.map(([name, id]) => [name, new Set([id])])),
    unreadable: { units: new Set(drawn.unreadableUnits), machines: new Set(drawn.unreadableMachines) },
  }));

test('it is idempotent: once carried out, nothing is left to decide', () => {
  forEachCluster((cluster) => {
    const after = applyDecisions(cluster, schedule(cluster).decisions);
    assert.deepEqual(schedule(after).decisions, []);
  });
});

test('it is safe: whatever it schedules is wanted, fits, and has left its last machine', () => {
  forEachCluster((cluster) => {
    for (const decision of schedule(cluster).decisions) {
      if (decision.kind !== 'schedule') continue;
      const unit = cluster.units.get(decision.unit);
      const machine = cluster.machines.get(decision.machine);
      assert.ok(unit !== undefined && machine !== undefined);
      assert.ok(isWanted(unit) && !unit.requirements.isGlobal);
      const isAtHome = isHome(unit, machine);
      assert.deepEqual(misfits(unit, machine, { units: new Set(isAtHome ? [unit.name] : []) }), []);
      for (const id of cluster.leaving.get(unit.name) ?? []) assert.ok(isAway(cluster, id));
    }
  });
});

test('it is calm: a unit that is wanted and fits where it is stays there', () => {
  forEachCluster((cluster) => {
    for (const { kind, unit: name, machine: id } of schedule(cluster).decisions) {
      const unit = cluster.units.get(name);
      const machine = cluster.machines.get(id);
      if (kind !== 'unschedule' || unit === undefined || machine === undefined) continue;
      const isAtHome = isWanted(unit) && !unit.requirements.isGlobal;
      assert.ok(!isAtHome || misfits(unit, machine, { units: new Set([name]) }).length > 0);
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
  });
});

test('it agrees with a scheduler that tries everything', () => {
  forEachCluster((cluster) => {
    const after = applyDecisions(cluster, schedule(cluster).decisions);
    assert.deepEqual(sorted(after.placements), sorted(bruteForce(cluster)));
  });
});

test('it gives a reason for every wanted unit that it leaves without a machine, and for no other', () => {
  forEachCluster((cluster) => {
    const { decisions, blocked } = schedule(cluster);
    const { placements } = applyDecisions(cluster, decisions);
    const waiting = [...cluster.units.values()].filter(
      (unit) =>
        isWanted(unit) &&
        !unit.requirements.isGlobal &&
        !placements.has(unit.name) &&
        !cluster.unreadable.units.has(unit.name),
    );
    assert.deepEqual([...blocked.keys()], waiting.map(({ name }) => name).sort());
  });
});

test('a change is decided the same whether all units are looked at or only those that it touches', () => {
  fc.assert(
    fc.property(clusters, clusters, fc.constantFrom(...names), fc.constantFrom(...ids), (start, other, name, id) => {
      const settled = applyDecisions(start, schedule(start).decisions);
      const changed: Cluster = {
        ...settled,
        units: withEntryOf(settled.units, other.units, name),
        machines: withEntryOf(settled.machines, other.machines, id),
      };
      const touched = new Set<UnitName>([name, ...schedule(settled).blocked.keys()]);
      for (const [placed, on] of settled.placements) if (on === id) touched.add(placed);
      for (const [leaver, from] of settled.leaving) if (from.has(id)) touched.add(leaver);
      assert.deepEqual(schedule(changed, touched), schedule(changed));
    }),
  );
});

function forEachCluster(check: (cluster: Cluster) => void): void {
  fc.assert(fc.property(clusters, check), { numRuns: 500 });
}

function metadataOf(role: string | undefined): ReadonlyMap<string, string> {
  return new Map(role === undefined ? [] : [['role', role]]);
}

function isAway({ machines: alive, unreadable }: Cluster, id: MachineId): boolean {
  return !alive.has(id) && !unreadable.machines.has(id);
}

/** Says where each unit belongs, from the rules alone and with no regard for speed. */
function bruteForce(cluster: Cluster): Map<UnitName, MachineId> {
  const placed = new Map(cluster.placements);
  const freed = new Set<UnitName>();
  const { units: all, machines: alive } = cluster;
  const runs = (unit: Unit | undefined): unit is Unit =>
    unit !== undefined && unit.desiredState !== 'inactive' && !unit.name.includes('@.') && !unit.requirements.isGlobal;
  const matches = (unit: Unit, machine: Machine) =>
    [...unit.requirements.metadata].every(([key, values]) => values.includes(machine.metadata.get(key) ?? '')) &&
    [undefined, machine.id].includes(unit.requirements.machineId as MachineId | undefined);
  for (const [name, id] of cluster.placements) {
    const [unit, machine] = [all.get(name), alive.get(id)];
    if (cluster.unreadable.units.has(name)) continue;
    const stays = runs(unit) && (machine === undefined ? cluster.unreadable.machines.has(id) : matches(unit, machine));
    if (stays) continue;
    placed.delete(name);
    if (!isAway(cluster, id)) freed.add(name);
  }
  const load = (machine: Machine) => {
    const own = [...placed.values()].filter((id) => id === machine.id).length;
    const globals = [...all.values()].filter((unit) => unit.requirements.isGlobal && runs(asLocal(unit)));
    return own + globals.filter((unit) => matches(asUnpinned(unit), machine)).length;
  };
  for (const unit of [...all.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (!runs(unit) || placed.has(unit.name) || freed.has(unit.name) || cluster.unreadable.units.has(unit.name))
      continue;
    if ([...(cluster.leaving.get(unit.name) ?? [])].some((id) => !isAway(cluster, id))) continue;
    const fitting = [...alive.values()].filter((machine) => !machine.isClosed && matches(unit, machine));
    const home = [...alive.values()].find((machine) => isHome(unit, machine) && matches(unit, machine));
    const best = home ?? fitting.sort((a, b) => load(a) - load(b) || (a.id < b.id ? -1 : 1))[0];
    if (best !== undefined) placed.set(unit.name, best.id);
  }
  return placed;
}

function isHome({ runsOn }: Unit, { id, since = 0 }: Machine): boolean {
  return runsOn?.machine === id && since <= runsOn.asOf;
}

function asLocal(unit: Unit): Unit {
  return { ...unit, requirements: { ...unit.requirements, isGlobal: false } };
}

/** Global units heed metadata only. */
function asUnpinned(unit: Unit): Unit {
  return { ...unit, requirements: { ...unit.requirements, machineId: undefined } };
}

function withEntryOf<K, V>(map: ReadonlyMap<K, V>, other: ReadonlyMap<K, V>, key: K): Map<K, V> {
  const changed = new Map(map);
  const value = other.get(key);
  if (value === undefined) changed.delete(key);
  else changed.set(key, value);
  return changed;
}

function reversed<K, V>(map: ReadonlyMap<K, V>): Map<K, V> {
  return new Map([...map].reverse());
}

function sorted<K extends string, V>(map: ReadonlyMap<K, V>): [K, V][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}
