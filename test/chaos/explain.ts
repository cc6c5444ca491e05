import type { Overlap, Run } from './runs.js';
import { findChaosUnit } from './units.js';

/** `down`: off, or leaving; `out`: nobody hears of it, but its units run. */
export interface Outage {
  readonly host: string;
  readonly kind: 'down' | 'out';
  readonly what: string;
  readonly fromMs: number;
  /** `undefined`: it lasts. */
  readonly toMs: number | undefined;
}

/** What was asked of a unit, whatever the answer. */
export interface Asked {
  readonly unit: string;
  readonly atMs: number;
  /** @default false */
  readonly isRestart?: boolean;
}

/** A unit's placement went from one host to another, or away. */
export interface Move {
  readonly unit: string;
  readonly from: string;
  readonly to: string | undefined;
}

/** What has happened in a round that may end a unit's run. */
export interface Causes {
  readonly outages: readonly Outage[];
  readonly asked: readonly Asked[];
  readonly moves: readonly Move[];
  /** Main processes that were killed. */
  readonly kills: readonly { readonly unit: string; readonly host: string; readonly atMs: number }[];
}

/** After so long without contact a host's units may be moved; its lease may have been renewed a third of a TTL before. */
const missedMs = 5_000;
/** After so long without contact a host stops what must not run twice: its lease may have been renewed 2 s before. */
const fenceMs = 1_500;
/** How long after contact is back a host may still be about what it has missed: a slow unit, a busy machine. */
const aftermathMs = 20_000;
/** Between what we saw of a host's going up and down, and its own clock. */
const slackMs = 500;
/** From a kill to the note of the unit's end. */
const crashMs = 10_000;

const crashes: ReadonlySet<string> = new Set(['signal', 'core-dump', 'exit-code']);

/** Of runs that ended, those that ended although nobody asked for it; `why` says what is missing. */
export function unexplainedEnds(runs: readonly Run[], causes: Causes): { readonly run: Run; readonly why: string }[] {
  const used = new Set<unknown>();
  const unexplained: { readonly run: Run; readonly why: string }[] = [];
  for (const run of runs) {
    if (run.endMs === undefined) continue;
    if (wasCutOff(run, causes)) continue;
    const why = crashes.has(run.result ?? '') ? findCrashGap(run, causes) : findStopGap(run, causes, used);
    if (why !== undefined) unexplained.push({ run, why });
  }
  return unexplained;
}

/** Whether a unit that must not run twice ended, or was killed, as its host had no contact. */
function wasCutOff({ unit, host, endMs = 0, result }: Run, { outages }: Causes): boolean {
  if (findChaosUnit(unit)?.isOnce !== true || (result !== 'success' && result !== 'signal')) return false;
  return outages.some((outage) => {
    const isLate = { ...outage, fromMs: outage.fromMs + fenceMs };
    return outage.host === host && covers(isLate, endMs, aftermathMs) && !isBlink(outage, fenceMs);
  });
}

function isBlink({ fromMs, toMs = Number.POSITIVE_INFINITY }: Outage, mostMs: number): boolean {
  return toMs - fromMs < mostMs;
}

/** Why a crash is none that was made; `undefined` if it was. */
function findCrashGap({ unit, host, endMs = 0, result }: Run, { kills }: Causes): string | undefined {
  const kind = findChaosUnit(unit)?.kind;
  if (result === 'exit-code' && (kind === 'crashing' || kind === 'failing' || kind === 'broken')) return undefined;
  const isKilled = kills.some(
    (kill) => kill.unit === unit && kill.host === host && isWithin(endMs, kill.atMs, crashMs),
  );
  return isKilled ? undefined : `it crashed (${result}), and nobody had killed it`;
}

/** Each operation and each move explains one stop on a host. */
function findStopGap(run: Run, causes: Causes, used: Set<unknown>): string | undefined {
  const { unit, host, endMs = 0, result } = run;
  if (result === 'power-cut') return undefined;
  if (result !== 'success') return `it ended with "${result}"`;
  if (causes.outages.some((outage) => outage.kind === 'down' && outage.host === host && covers(outage, endMs, slackMs)))
    return undefined;
  const asked = causes.asked.find((each) => each.unit === unit && each.atMs <= endMs && !used.has(keyOf(each, host)));
  if (asked !== undefined) {
    used.add(keyOf(asked, host));
    return undefined;
  }
  if (wasRestartedAgain(run, causes)) return undefined;
  const move = causes.moves.find((each) => each.unit === unit && each.from === host && !used.has(each));
  if (move === undefined) return 'nothing was asked of it, and it was not moved';
  used.add(move);
  return (
    findMoveGap(unit, host, causes) &&
    `it was moved to ${move.to ?? 'nowhere'}, though ${findMoveGap(unit, host, causes)}`
  );
}

/** A fleetd that ends between having a unit restarted and noting that leaves the next one to do it once more. */
function wasRestartedAgain({ unit, host, endMs = 0 }: Run, { asked, outages }: Causes): boolean {
  const ends = outages.filter((outage) => outage.host === host && outage.what.startsWith('fleetd-'));
  return (
    asked.some((each) => each.isRestart === true && each.unit === unit && each.atMs <= endMs) &&
    ends.some((outage) => covers(outage, endMs, aftermathMs))
  );
}

function keyOf({ unit, atMs }: Asked, host: string): string {
  return `${unit} ${atMs} ${host}`;
}

/** Why a unit need not have been moved off a host; `undefined` if there was cause. */
function findMoveGap(unit: string, host: string, causes: Causes): string | undefined {
  const { outages, asked, moves } = causes;
  if (outages.some((outage) => outage.host === host && (outage.kind === 'down' || !isBlink(outage, missedMs))))
    return undefined;
  const head = findChaosUnit(unit)?.machineOf;
  if (head !== undefined && [...asked, ...moves].some((each) => each.unit === head)) return undefined;
  return `its host was never out of contact for ${missedMs / 1_000} s`;
}

/**
 * Of overlaps, those that were not to be: the hosts of both were in contact; or the unit must not run twice, and there was a
 * fleetd to stop it.
 */
export function forbiddenOverlaps(found: readonly Overlap[], outages: readonly Outage[]): Overlap[] {
  return found.filter(({ older, newer }) => {
    const { isGlobal = false, isOnce = false } = findChaosUnit(older.unit) ?? {};
    if (isGlobal) return false;
    const long = outages.filter((outage) => outage.kind === 'down' || !isBlink(outage, missedMs));
    const excuses = isOnce ? long.filter((outage) => isUnattended(outage, outages)) : long;
    // systemd restarts what crashes on a host that is cut off: the copy there may also be the newer one.
    const hosts = [older.host, newer.host];
    return !excuses.some((outage) => hosts.includes(outage.host) && covers(outage, newer.startMs, aftermathMs));
  });
}

/** A fleetd that is told to stop while it is being restarted has not left: it is gone, and its units run on. */
function isUnattended({ what, host, fromMs }: Outage, outages: readonly Outage[]): boolean {
  if (what !== 'leave') return what === 'fleetd-freeze';
  return outages.some((other) => other.what === 'fleetd-restart' && other.host === host && covers(other, fromMs, 0));
}

function covers({ fromMs, toMs = Number.POSITIVE_INFINITY }: Outage, atMs: number, afterMs: number): boolean {
  return fromMs <= atMs && atMs <= toMs + afterMs;
}

function isWithin(atMs: number, fromMs: number, spanMs: number): boolean {
  return fromMs <= atMs && atMs <= fromMs + spanMs;
}
