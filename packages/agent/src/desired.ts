import { isWanted, matchesMetadata } from '@flotilla/cluster';
import type { Revision } from '@flotilla/registry';
import type { UnitHash, UnitName } from '@flotilla/unit';
import type { OwnRestart, ScheduledUnit } from './assignment-view.js';
import type { Verdict } from './confirm.js';
import { type GlobalSources, globalsHere } from './globals-here.js';

/** Why a unit is to leave this machine. */
export type AbsentReason = 'leaving' | 'not-wanted' | 'does-not-fit' | 'conflict' | 'removed' | 'gone-elsewhere';

/** Why a unit stays as it is although nothing asks for it. */
export type UntouchedReason = 'unconfirmed' | Exclude<Verdict, 'gone'>;

/** What is asked of this machine for one unit. */
export type DesiredUnit =
  | {
      readonly kind: 'present';
      readonly isLaunched: boolean;
      readonly hash: UnitHash;
      /** SHA-256 of the unit file, by which it is found in the store. */
      readonly file: string;
      readonly uid: Revision;
      readonly order: number;
    }
  | {
      readonly kind: 'absent';
      readonly why: AbsentReason;
      readonly hash: UnitHash;
      readonly uid: Revision;
      /** The revision of the order to leave, which is answered once; only with `leaving`. */
      readonly leavingSince?: Revision;
    }
  | { readonly kind: 'untouched'; readonly why: UntouchedReason; readonly hash: UnitHash; readonly uid: Revision };

/** A unit that this agent has been told to run here. */
export interface KnownUnit {
  readonly hash: UnitHash;
  readonly uid: Revision;
  /** It was to be started, by the last order. */
  readonly isLaunched: boolean;
  /** That order's number; `undefined` if an older version noted the unit, or it is to leave. */
  readonly order: number | undefined;
}

/** Everything that the wishes of the cluster for this machine depend on. */
export interface DesiredSources extends GlobalSources {
  readonly restarts: ReadonlyMap<UnitName, OwnRestart>;
  readonly known: ReadonlyMap<UnitName, KnownUnit>;
  /** Units whose record was seen deleted: that is an order. */
  readonly removed: ReadonlySet<UnitName>;
  /** For units that were missing from a snapshot: what the store says of them. */
  readonly verdicts: ReadonlyMap<UnitName, Verdict>;
}

/**
 * What this machine should do with each unit that it is told of or knows from before, in name order. A unit whose
 * record is merely missing stays as it is: only an order stops a unit (loss of contact is not an order).
 */
export function desiredUnits(sources: DesiredSources): Map<UnitName, DesiredUnit> {
  const { schedule, globals, known } = sources;
  const running = globalsHere(sources);
  const names = new Set([...schedule.keys(), ...globals.keys(), ...known.keys()]);
  const desired = new Map<UnitName, DesiredUnit>();
  for (const name of [...names].sort()) {
    const isTold = schedule.has(name) || globals.has(name);
    const unit = isTold
      ? (findScheduled(schedule.get(name)) ?? findGlobal(name, sources, running))
      : findMissing(name, sources);
    if (unit !== undefined) desired.set(name, unit);
  }
  return desired;
}

function findScheduled(scheduled: ScheduledUnit | undefined): DesiredUnit | undefined {
  if (scheduled === undefined) return undefined;
  const { record, modRevision } = scheduled;
  const { hash, uid, file, order, desiredState } = record;
  if (record.isLeaving) return { kind: 'absent', why: 'leaving', hash, uid, leavingSince: modRevision };
  if (desiredState === 'inactive') return { kind: 'absent', why: 'not-wanted', hash, uid };
  return { kind: 'present', isLaunched: desiredState === 'launched', hash, file, uid, order };
}

function findGlobal(
  name: UnitName,
  { globals, requirements, machine, known, restarts }: DesiredSources,
  running: ReadonlySet<UnitName>,
): DesiredUnit | undefined {
  const global = globals.get(name);
  if (global === undefined) return undefined;
  const { hash, file, desiredState } = global.record;
  const { uid } = global;
  const isLaunched = desiredState === 'launched';
  const restart = isLaunched ? restarts.get(name)?.record : undefined;
  const order = Math.max(global.record.order, restart?.uid === uid ? restart.order : 0);
  if (running.has(name)) return { kind: 'present', isLaunched, hash, file, uid, order };
  if (!known.has(name)) return undefined;
  const absent = (why: AbsentReason): DesiredUnit => ({ kind: 'absent', why, hash, uid });
  if (!isWanted({ name, desiredState })) return absent('not-wanted');
  const required = requirements.get(name);
  if (required === undefined) return { kind: 'untouched', why: 'unreadable', hash, uid };
  return absent(matchesMetadata(machine.metadata, required) ? 'conflict' : 'does-not-fit');
}

function findMissing(name: UnitName, { known, removed, verdicts }: DesiredSources): DesiredUnit | undefined {
  const unit = known.get(name);
  if (unit === undefined) return undefined;
  const { hash, uid } = unit;
  if (removed.has(name)) return { kind: 'absent', why: 'removed', hash, uid };
  const verdict = verdicts.get(name);
  if (verdict === 'gone') return { kind: 'absent', why: 'gone-elsewhere', hash, uid };
  return { kind: 'untouched', why: verdict ?? 'unconfirmed', hash, uid };
}
