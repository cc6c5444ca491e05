import { compareCreation } from '@flotilla/cluster';
import type { MachineNode, UnitNode } from './index-nodes.js';

/** Whether a unit is a resident of a machine, or a global that runs there. */
export function isOn(machine: MachineNode, unit: UnitNode): boolean {
  return unit.home === machine || machine.globals.includes(unit);
}

/** Whether either of two units has the other's name in `Conflicts=`. */
export function areRivals(one: UnitNode, other: UnitNode): boolean {
  return one !== other && (names(one, other, 'conflicts') || names(other, one, 'conflicts'));
}

/** The units that keep `unit` off `machine`, or, if it is there, drive it away. See `MachineContext`. */
export function* rivalsOn(machine: MachineNode, unit: UnitNode): Iterable<UnitNode> {
  if (unit.conflicts.length === 0 && unit.matchedBy.length === 0) return;
  const isThere = unit.home === machine;
  for (const rival of rivalResidents(machine, unit)) {
    if (rival !== unit && (!isThere || isPlacedEarlier(rival, unit))) yield rival;
  }
  if (!isThere) for (const leaver of machine.leavers) if (areRivals(leaver, unit)) yield leaver;
  for (const global of machine.globals) {
    if (global.unit !== undefined && unit.unit !== undefined && compareCreation(global.unit, unit.unit) < 0) {
      if (areRivals(global, unit)) yield global;
    }
  }
}

/** Whether `one` moves `other` away from its machine. Two that would move each other do not. */
export function doesReplace(one: UnitNode, other: UnitNode): boolean {
  return one !== other && names(one, other, 'replaces') && !names(other, one, 'replaces');
}

/** The residents of `machine` that move `unit` away. */
export function* replacersOn(machine: MachineNode, unit: UnitNode): Iterable<UnitNode> {
  for (const glob of unit.matchedBy) {
    for (const other of glob.replacing.on(machine) ?? []) if (doesReplace(other, unit)) yield other;
  }
}

/** Whether `unit` moves a resident of `machine` away. */
export function replacesOn(machine: MachineNode, unit: UnitNode): boolean {
  for (const glob of unit.replaces) {
    for (const other of glob.matched.on(machine) ?? []) if (doesReplace(unit, other)) return true;
  }
  return false;
}

/** Whether any wanted unit, wherever it is, would move `unit` away. */
export function isReplaceable(unit: UnitNode): boolean {
  for (const glob of unit.matchedBy) for (const other of glob.replacers) if (doesReplace(other, unit)) return true;
  return false;
}

/** Of several units the one whose name comes first. */
export function firstByName(units: Iterable<UnitNode>): UnitNode | undefined {
  let first: UnitNode | undefined;
  for (const unit of units) if (first === undefined || unit.name < first.name) first = unit;
  return first;
}

function* rivalResidents(machine: MachineNode, unit: UnitNode): Iterable<UnitNode> {
  for (const glob of unit.conflicts) yield* glob.matched.on(machine) ?? [];
  for (const glob of unit.matchedBy) yield* glob.conflicting.on(machine) ?? [];
}

function isPlacedEarlier(one: UnitNode, other: UnitNode): boolean {
  const difference = (one.placement?.since ?? 0) - (other.placement?.since ?? 0);
  return difference < 0 || (difference === 0 && one.name < other.name);
}

function names(one: UnitNode, other: UnitNode, option: 'conflicts' | 'replaces'): boolean {
  return one[option].some((glob) => other.matchedBy.includes(glob));
}
