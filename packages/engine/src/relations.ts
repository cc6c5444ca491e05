import { compareCreation } from '@flotilla/cluster';
import type { MachineNode, UnitNode } from './index-nodes.js';

const none: readonly UnitNode[] = [];

/** Whether a unit is a resident of a machine, or a global that runs there. */
export function isOn(machine: MachineNode, unit: UnitNode): boolean {
  return unit.home === machine || machine.globals.includes(unit);
}

/** Whether either of two units has the other's name in `Conflicts=`. */
export function areRivals(one: UnitNode, other: UnitNode): boolean {
  return one !== other && (names(one, other, 'conflicts') || names(other, one, 'conflicts'));
}

/** Whether `one` was made before `other`. */
export function isMadeEarlier({ unit: one }: UnitNode, { unit: other }: UnitNode): boolean {
  return one !== undefined && other !== undefined && compareCreation(one, other) < 0;
}

/**
 * Of the units that keep `unit` off `machine` or, if it is there, drive it away, the one whose name comes first. See
 * `MachineContext`.
 *
 * @param globals The global units that conflict with `unit`, wherever they run.
 */
export function findFirstRival(
  machine: MachineNode,
  unit: UnitNode,
  globals: readonly UnitNode[],
): UnitNode | undefined {
  const isThere = unit.home === machine;
  const residents = [...rivalResidents(machine, unit)].filter(
    (rival) => rival !== unit && (!isThere || isPlacedEarlier(rival, unit)),
  );
  const leavers = isThere ? [] : [...machine.leavers].filter((leaver) => areRivals(leaver, unit));
  return firstByName([...residents, ...leavers, ...globals.filter((global) => prevails(machine, unit, global))]);
}

/** Any of the units that keep `unit`, which is not there, off `machine`: quicker, where only whether there is one counts. */
export function findAnyRival(machine: MachineNode, unit: UnitNode, globals: readonly UnitNode[]): UnitNode | undefined {
  for (const glob of unit.conflicts) for (const rival of glob.matched.on(machine) ?? none) return rival;
  for (const glob of unit.matchedBy) for (const rival of glob.conflicting.on(machine) ?? none) return rival;
  for (const leaver of machine.leavers) if (areRivals(leaver, unit)) return leaver;
  return globals.find((global) => prevails(machine, unit, global));
}

function prevails(machine: MachineNode, unit: UnitNode, global: UnitNode): boolean {
  return machine.globals.includes(global) && isMadeEarlier(global, unit);
}

/** Whether `one` moves `other` away from its machine. Two that would move each other do not. */
function doesReplace(one: UnitNode, other: UnitNode): boolean {
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

/** Whether any unit that is wanted, or that belongs to a machine although it can't be read, would move `unit` away. */
export function isReplaceable(unit: UnitNode): boolean {
  for (const glob of unit.matchedBy) {
    for (const other of glob.replacers) if (doesReplace(other, unit)) return true;
    for (const other of glob.replacing.all()) if (doesReplace(other, unit)) return true;
  }
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
