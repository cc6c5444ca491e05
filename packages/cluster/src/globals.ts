import { compileGlob, type Requirements } from '@flotilla/unit';
import type { Machine, Unit } from './cluster-model.js';
import { matchesMetadata } from './metadata.js';
import { everyMetadataMisfit, type Misfit } from './misfits.js';

/** What conflicts are about. */
type Named = Pick<Unit, 'name' | 'requirements'>;

/** Whether two units may not be on one machine: either names the other. A unit does not conflict with itself. */
export function conflicts(one: Named, other: Named): boolean {
  return one.name !== other.name && (names(one, other) || names(other, one));
}

/** Whether a machine could run its copy of a global unit. Of what it asks of a machine only the metadata counts. */
export function fitsGlobal(unit: Pick<Unit, 'requirements'>, machine: Pick<Machine, 'metadata'>): boolean {
  return unit.requirements.isGlobal && matchesMetadata(machine.metadata, unit.requirements);
}

/** Puts units in the order in which they are made, equals by name. */
export function compareCreation(a: Unit, b: Unit): number {
  return a.createdAt - b.createdAt || (a.name < b.name ? -1 : 1);
}

/**
 * The global units that run on a machine, in the order in which they were made. Of those that conflict, the one made
 * first does; a non-global unit there keeps a global one that was made later off the machine. Engine and agents both go
 * by this.
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
  const keptOff = findKeptOff(fitting, residents);
  const running: Unit[] = [];
  for (const unit of fitting)
    if (!keptOff.has(unit) && !running.some((earlier) => conflicts(earlier, unit))) running.push(unit);
  return running;
}

/**
 * Why a global unit does not run on a machine, all of it; none: it does. Says what {@link globalsOn} decides.
 *
 * @param running The global units that run there.
 * @param residents The wanted non-global units that are placed there.
 */
export function globalMisfits(
  unit: Unit,
  machine: Pick<Machine, 'metadata'>,
  { running, residents }: { readonly running: Iterable<Unit>; readonly residents: Iterable<Unit> },
): Misfit[] {
  const inTheWay = [...residents, ...running].filter(
    (other) => compareCreation(other, unit) < 0 && conflicts(other, unit),
  );
  const names = inTheWay.map(({ name }) => name).sort();
  return [...everyMetadataMisfit(unit, machine), ...names.map((name): Misfit => ({ kind: 'conflict', with: name }))];
}

/** Those of `globals` that conflict with a resident that was made earlier. */
function findKeptOff(globals: readonly Unit[], residents: Iterable<Unit>): Set<Unit> {
  const keptOff = new Set<Unit>();
  if (globals.length === 0) return keptOff;
  for (const resident of residents)
    for (const unit of globals) if (conflicts(resident, unit) && compareCreation(resident, unit) < 0) keptOff.add(unit);
  return keptOff;
}

/** Whether `one` names `other` in `Conflicts=`. */
function names({ requirements }: Named, { name }: Named): boolean {
  return requirements.conflicts.length > 0 && matchersOf(requirements).some((matches) => matches(name));
}

type Matcher = (name: string) => boolean;

/** Compiling a glob takes ten times as long as using it, and each is asked about every unit of every machine. */
const matchersByRequirements = new WeakMap<Requirements, readonly Matcher[]>();

function matchersOf(requirements: Requirements): readonly Matcher[] {
  const known = matchersByRequirements.get(requirements);
  if (known !== undefined) return known;
  const matchers = requirements.conflicts.map((glob) => compileGlob(glob)).filter((matcher) => matcher !== undefined);
  matchersByRequirements.set(requirements, matchers);
  return matchers;
}
