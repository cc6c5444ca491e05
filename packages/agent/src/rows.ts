import type { UnitRow } from '@flotilla/registry';
import type { UnitName } from '@flotilla/unit';
import { type CurrentUnit, isGone } from './current.js';
import type { DesiredUnit } from './desired.js';

/** What the rows of {@link stateRows} are made of. */
export interface RowSources {
  readonly desired: ReadonlyMap<UnitName, DesiredUnit>;
  readonly current: ReadonlyMap<UnitName, CurrentUnit>;
  readonly error: (name: UnitName) => string | undefined;
  /** Units that go on as they are until it is their turn to be replaced. */
  readonly queued: { has(name: UnitName): boolean };
  /** The rows that were published last. */
  readonly last: ReadonlyMap<UnitName, UnitRow>;
}

/** The state row of each unit that is here or should be, in name order. A unit that is gone has none. */
export function stateRows({ desired, current, error, queued, last }: RowSources): Map<UnitName, UnitRow> {
  const rows = new Map<UnitName, UnitRow>();
  for (const [name, wish] of desired) {
    const unit = current.get(name);
    if (unit === undefined || (wish.kind === 'absent' && isGone(unit))) continue;
    const row: UnitRow = { ...rowOf(wish, unit, error(name)), ...(queued.has(name) ? { waitsFor: 'turn' } : {}) };
    rows.set(name, isQueued(unit) ? { ...row, order: orderBefore(row, unit, last.get(name)) } : row);
  }
  return rows;
}

/** Whether systemd has yet to begin what it was told: what it shows is the copy before. */
function isQueued({ status: { active, job } }: CurrentUnit): boolean {
  return job === 'restart' || (job === 'start' && restStates.has(active));
}

/** What a unit is in while a start waits. */
const restStates: ReadonlySet<string> = new Set(['inactive', 'failed', 'deactivating']);

/** A process that has just begun, or a unit that was stopped, has no order before: any smaller one says that it is not this. */
function orderBefore({ uid, order }: UnitRow, { status }: CurrentUnit, last: UnitRow | undefined): number {
  if (last?.uid === uid && last.order > 0) return last.order;
  // A first start has no copy before that could be taken for its own.
  const isFirst = status.job === 'start' && status.active === 'inactive';
  return isFirst ? order : Math.max(0, order - 1);
}

/**
 * The rows for a moment at which nobody can say which files are here: `last` with what systemd says, and `error`. No row
 * goes, as that would say that its unit has gone.
 */
export function rowsWithoutFiles(
  { desired, current }: Pick<RowSources, 'desired' | 'current'>,
  last: ReadonlyMap<UnitName, UnitRow>,
  error: string,
): Map<UnitName, UnitRow> {
  const rows = new Map<UnitName, UnitRow>();
  for (const [name, wish] of desired) {
    const [unit, row] = [current.get(name), last.get(name)];
    if (unit === undefined || (row === undefined && wish.kind === 'absent')) continue;
    rows.set(name, { ...rowOf(wish, unit, error), ...(row !== undefined && { hash: row.hash }) });
  }
  return rows;
}

const notHere = { load: 'not-found', active: 'inactive', sub: 'dead' };

/** One unit's state row. */
export function rowOf(wish: DesiredUnit, { file, status, started }: CurrentUnit, error: string | undefined): UnitRow {
  // A unit that was made anew under its name has not been started, whatever became of the one before it.
  const done = started?.uid === wish.uid ? started : undefined;
  // Without a file of ours and a start of ours, what systemd says is about somebody else's unit of that name.
  const { load, active, sub } = file === undefined && done === undefined ? notHere : status;
  return {
    load,
    active,
    sub,
    hash: file?.hash ?? wish.hash,
    uid: wish.uid,
    order: done?.order ?? 0,
    isLaunched: done !== undefined,
    ...(error === undefined ? {} : { error }),
  };
}
