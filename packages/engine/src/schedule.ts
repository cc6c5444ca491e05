import {
  type Cluster,
  findMisfit,
  isWanted,
  leavingKey,
  type Machine,
  type MachineContext,
  type MachineId,
  misfitKey,
  misfits,
  type Unit,
  type WaitReason,
  waitReason,
} from '@flotilla/cluster';
import type { UnitName } from '@flotilla/unit';
import { isLost } from './lost-machines.js';
import { MachineRanking } from './machine-ranking.js';
import type { Decision, Plan, UnscheduleReason } from './plan.js';

/** A machine without any of the units in question. */
const nothingHere: MachineContext = { has: () => false, findConflict: () => undefined, load: 0 };

/**
 * Decides which machine runs each non-global unit.
 *
 * Keeps a unit where it is while it still fits; otherwise moves it to the fitting machine with the fewest units, ties
 * to the lower ID, but a unit that says where it runs stays there. Units are taken in name order, so a plan depends only on
 * its input. A unit that has to leave a live machine is placed anew only when it has left.
 *
 * @param cluster Read at one revision; not modified.
 * @param among The names to decide about. Enough are those whose unit, placement or leaving has changed since a plan
 *   was carried out, those on machines that have changed, and, if any machine has, those that wait. @default all
 * @see coreos/fleet engine/reconciler.go, engine/scheduler.go (least loaded)
 */
export function schedule(cluster: Cluster, among: Iterable<UnitName> = allNames(cluster)): Plan {
  const names = [...among].sort();
  const unscheduled = unscheduleDecisions(cluster, names);
  const freed = new Map(unscheduled.map((decision) => [decision.unit, decision.machine]));
  const scheduled: Decision[] = [];
  const blocked = new Map<UnitName, WaitReason>();
  let ranking: MachineRanking | undefined;
  for (const name of names) {
    const unit = cluster.units.get(name);
    if (unit === undefined || !needsMachine(unit) || cluster.unreadable.units.has(name)) continue;
    if (cluster.placements.has(name) && !freed.has(name)) continue;
    const leaving = machinesToLeave(cluster, name, freed.get(name));
    if (leaving.length > 0) {
      blocked.set(name, waitReason(cluster.machines.size, new Map(leaving.map((id) => [leavingKey(id), 1]))));
      continue;
    }
    ranking ??= new MachineRanking(cluster, new Set(freed.keys()));
    const machine =
      takeOwn(unit, ranking) ?? ranking.take((candidate) => findMisfit(unit, candidate, nothingHere) === undefined);
    if (machine === undefined) blocked.set(name, countMisfits(unit, cluster.machines.values()));
    else scheduled.push({ kind: 'schedule', unit: name, machine: machine.id });
  }
  return { decisions: [...unscheduled, ...scheduled], blocked };
}

/** The cluster once `decisions` are carried out, except that units which leave a live machine are still leaving it. */
export function applyDecisions(cluster: Cluster, decisions: readonly Decision[]): Cluster {
  const placements = new Map(cluster.placements);
  const leaving = new Map(cluster.leaving);
  for (const decision of decisions) {
    const { unit, machine } = decision;
    if (decision.kind === 'schedule') placements.set(unit, { machine, since: Number.MAX_SAFE_INTEGER });
    else {
      placements.delete(unit);
      if (!isLost(machine, cluster)) leaving.set(unit, new Set([...(leaving.get(unit) ?? []), machine]));
    }
  }
  return { ...cluster, placements, leaving };
}

function allNames({ units, placements }: Cluster): Set<UnitName> {
  return new Set([...units.keys(), ...placements.keys()]);
}

function needsMachine(unit: Unit): boolean {
  return !unit.requirements.isGlobal && isWanted(unit);
}

function unscheduleDecisions(cluster: Cluster, names: readonly UnitName[]) {
  const decisions: Extract<Decision, { kind: 'unschedule' }>[] = [];
  for (const name of names) {
    const machine = cluster.placements.get(name)?.machine;
    if (machine === undefined || cluster.unreadable.units.has(name)) continue;
    const why = findUnscheduleReason(cluster, name, machine);
    if (why !== undefined) decisions.push({ kind: 'unschedule', unit: name, machine, why });
  }
  return decisions;
}

function findUnscheduleReason(cluster: Cluster, name: UnitName, id: MachineId): UnscheduleReason | undefined {
  const unit = cluster.units.get(name);
  if (unit === undefined) return { kind: 'destroyed' };
  if (unit.desiredState === 'inactive') return { kind: 'inactive' };
  if (unit.requirements.isGlobal) return { kind: 'global' };
  if (!isWanted(unit)) return { kind: 'template' };
  const machine = cluster.machines.get(id);
  if (machine === undefined) return isLost(id, cluster) ? { kind: 'machine-lost' } : undefined;
  const found = misfits(unit, machine, onlyIt(name));
  return found.length === 0 ? undefined : { kind: 'misfit', misfits: found };
}

/**
 * The machine that a unit says it runs on, if it fits there. It is nothing new to that machine, which may be closed. A
 * machine that was away in between has lost the unit to another one, and is like any other to it.
 */
function takeOwn(unit: Unit, ranking: MachineRanking): Machine | undefined {
  const { name, runsOn } = unit;
  if (runsOn === undefined) return undefined;
  const own = onlyIt(name);
  return ranking.take(
    (machine) =>
      machine.id === runsOn.machine &&
      (machine.since ?? 0) <= runsOn.asOf &&
      findMisfit(unit, machine, own) === undefined,
  );
}

function onlyIt(name: UnitName): MachineContext {
  return { ...nothingHere, has: (other) => other === name };
}

/** The machines that a unit has yet to leave; a lost one can't be waited for. */
function machinesToLeave(cluster: Cluster, name: UnitName, freed: MachineId | undefined): MachineId[] {
  const ids = new Set(cluster.leaving.get(name));
  if (freed !== undefined) ids.add(freed);
  return [...ids].filter((id) => !isLost(id, cluster)).sort();
}

function countMisfits(unit: Unit, machines: Iterable<Machine>): WaitReason {
  const counts = new Map<string, number>();
  let total = 0;
  for (const machine of machines) {
    total++;
    const misfit = findMisfit(unit, machine, nothingHere);
    if (misfit === undefined) continue;
    const key = misfitKey(misfit);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return waitReason(total, counts);
}
