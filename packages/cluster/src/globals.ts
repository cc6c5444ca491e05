import { matchGlob } from '@flotilla/unit';
import type { Machine, Unit } from './cluster-model.js';
import { matchesMetadata } from './metadata.js';

/** Whether two units may not be on one machine: either names the other. A unit does not conflict with itself. */
export function conflicts(one: Unit, other: Unit): boolean {
  return one.name !== other.name && (isNamed(other, one) || isNamed(one, other));
}

/** Whether a machine could run its copy of a global unit. Of what it asks of a machine only the metadata counts. */
export function fitsGlobal(unit: Unit, machine: Pick<Machine, 'metadata'>): boolean {
  return unit.requirements.isGlobal && matchesMetadata(machine.metadata, unit.requirements);
}

/** Puts units in the order in which they are made, equals by name. */
export function compareCreation(a: Unit, b: Unit): number {
  return a.createdAt - b.createdAt || (a.name < b.name ? -1 : 1);
}

/**
 * The global units that run on a machine. Of those that conflict, the one made first does; a non-global unit there
 * keeps a global one that was made later off the machine. Engine and agents both go by this.
 *
 * @param globals Wanted ones, in any order.
 * @param residents The wanted non-global units that are placed on the machine.
 */
export function globalsOn(
  machine: Pick<Machine, 'metadata'>,
  globals: readonly Unit[],
  residents: Iterable<Unit>,
): Unit[] {
  const fitting = globals.filter((unit) => fitsGlobal(unit, machine)).sort(compareCreation);
  const others = [...residents];
  const running: Unit[] = [];
  for (const unit of fitting) {
    const isKeptOff = others.some((other) => compareCreation(other, unit) < 0 && conflicts(other, unit));
    if (!isKeptOff && !running.some((earlier) => conflicts(earlier, unit))) running.push(unit);
  }
  return running;
}

function isNamed({ name }: Unit, { requirements }: Unit): boolean {
  return requirements.conflicts.some((glob) => matchGlob(glob, name));
}
