import { type UnitName, unitNameParts } from '@flotilla/unit';
import { type CurrentUnit, motion } from './current.js';
import type { DesiredUnit } from './desired.js';
import { isOtherContent } from './reconcile.js';

/** Who takes turns with a unit: all instances of its template, or, with none, the unit's copies on all machines. */
export function turnGroup(name: UnitName): UnitName {
  return unitNameParts(name).template ?? name;
}

/** Whether a copy is here, running or ended, that is to be replaced by one with other content. A first start replaces nothing. */
export function isReplaced(wish: DesiredUnit | undefined, unit: CurrentUnit | undefined): boolean {
  if (wish?.kind !== 'present' || !wish.isLaunched || unit === undefined) return false;
  const hasCopy = unit.started !== undefined || motion(unit.status) !== 'at-rest';
  return hasCopy && isOtherContent(wish, unit);
}

/**
 * How far a unit is that has its turn. `over`: nothing is to be replaced here any more. `settling`: the new copy is active, or
 * has ended well, and may yet fail. `replacing`: all else, also for good if the new copy fails.
 */
export function progressOf(
  wish: DesiredUnit | undefined,
  unit: CurrentUnit | undefined,
): 'over' | 'settling' | 'replacing' {
  if (wish === undefined || unit === undefined || wish.kind === 'absent') return 'over';
  if (wish.kind === 'untouched')
    return motion(unit.status) === 'running' || wish.why === 'waiting' ? 'over' : 'replacing';
  if (!wish.isLaunched) return 'over';
  const isStarted = unit.started !== undefined && !isOtherContent(wish, unit);
  return isStarted && unit.status.job === undefined && wellStates.has(unit.status.active) ? 'settling' : 'replacing';
}

/** What a copy may be in that was started and has not failed. */
const wellStates: ReadonlySet<string> = new Set(['active', 'reloading', 'refreshing', 'inactive']);
