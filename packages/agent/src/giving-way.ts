import { conflicts } from '@flotilla/cluster';
import { noRequirements, type Requirements, type UnitName } from '@flotilla/unit';
import { type CurrentUnit, isGone, motion } from './current.js';
import type { DesiredUnit } from './desired.js';
import type { Task } from './reconcile.js';

/** The units that are started, or started anew, by some of `tasks`. */
export function startedUnits(tasks: readonly Task[]): Set<UnitName> {
  return new Set(tasks.filter(({ kind }) => kind === 'start' || kind === 'restart').map(({ unit }) => unit));
}

/** The units here that are not at rest and that nothing asks for: those that are on their way out, in name order. */
export function outgoingUnits(
  desired: ReadonlyMap<UnitName, DesiredUnit>,
  current: ReadonlyMap<UnitName, CurrentUnit>,
): UnitName[] {
  const outgoing = [...current].filter(([name, unit]) => {
    const wish = desired.get(name);
    return wish !== undefined && wish.kind !== 'present' && !isGone(unit) && motion(unit.status) !== 'at-rest';
  });
  return outgoing.map(([name]) => name).sort();
}

/**
 * Units that conflict never run together, not even for as long as one of them takes to stop: each of `starting` that
 * has to wait, with the first of `outgoing` that it waits for.
 */
export function waitingUnits(
  starting: ReadonlySet<UnitName>,
  outgoing: readonly UnitName[],
  requirements: ReadonlyMap<UnitName, Requirements>,
): Map<UnitName, UnitName> {
  const named = (name: UnitName) => ({ name, requirements: requirements.get(name) ?? noRequirements });
  const others = outgoing.map(named);
  const waiting = new Map<UnitName, UnitName>();
  for (const name of starting) {
    const unit = named(name);
    const other = others.find((candidate) => conflicts(unit, candidate));
    if (other !== undefined) waiting.set(name, other.name);
  }
  return waiting;
}

/** `tasks` without those that bring a waiting unit here: a load may be what its start follows from. */
export function withholdStarts(tasks: readonly Task[], waiting: { has(name: UnitName): boolean }): Task[] {
  return tasks.filter(({ kind, unit }) => !(bringing.has(kind) && waiting.has(unit)));
}

const bringing: ReadonlySet<Task['kind']> = new Set(['load', 'start', 'restart']);
