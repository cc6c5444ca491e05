import { type UnitName, unitNameParts } from '@flotilla/unit';
import { type CurrentUnit, motion } from './current.js';
import type { DesiredUnit } from './desired.js';
import { isNewer, isOtherContent } from './reconcile.js';

/** Who takes turns with a unit: all instances of its template, or, with none, the unit's copies on all machines. */
export function turnGroup(name: UnitName): UnitName {
  return unitNameParts(name).template ?? name;
}

/** Whether a copy is here, running or ended, that is to be replaced by one with other content. A first start replaces nothing. */
export function isOutdated(wish: DesiredUnit | undefined, unit: CurrentUnit | undefined): boolean {
  if (wish?.kind !== 'present' || !wish.isLaunched || unit === undefined) return false;
  const hasCopy = unit.started !== undefined || motion(unit.status) !== 'at-rest';
  return hasCopy && isOtherContent(wish, unit);
}

/** Whether a copy is to be replaced for what may be other content, or its being taken back. */
export function isReplaced(wish: DesiredUnit | undefined, unit: CurrentUnit | undefined): boolean {
  return isOutdated(wish, unit) || hasMissedOrders(wish, unit);
}

/**
 * Whether what runs is to be restarted after more than one order. This machine may have been away for new content and its
 * being taken back, as others were: they would all restart together.
 */
function hasMissedOrders(wish: DesiredUnit | undefined, unit: CurrentUnit | undefined): boolean {
  const started = unit?.started;
  if (wish?.kind !== 'present' || !wish.isLaunched || unit === undefined || started === undefined) return false;
  if (started.isOutdated === true || motion(unit.status) !== 'running' || !isNewer(wish, started)) return false;
  return started.uid !== wish.uid || wish.order > started.order + 1;
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
  const isStarted = unit.started !== undefined && !isReplaced(wish, unit);
  return isStarted && unit.status.job === undefined && wellStates.has(unit.status.active) ? 'settling' : 'replacing';
}

/** What a copy may be in that was started and has not failed. */
const wellStates: ReadonlySet<string> = new Set(['active', 'reloading', 'refreshing', 'inactive']);
