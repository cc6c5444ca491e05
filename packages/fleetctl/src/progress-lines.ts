import { clipLine } from './clip-line.js';
import { countMachines } from './losses.js';
import type { Expectation, Goal } from './verdict.js';

/** A unit that is waited for. */
export interface PendingProgress {
  readonly expectation: Expectation;
  /** What it waits for, as part of a sentence. */
  readonly why: string;
  /** The machines that are at it; none: it waits for one; `undefined`: not known yet. */
  readonly on: readonly string[] | undefined;
}

/** How far a wait is. */
export interface Progress {
  readonly pending: ReadonlyMap<string, PendingProgress>;
  readonly total: number;
  /** How many of these have failed. */
  readonly failed: number;
  readonly elapsedMs: number;
  /** `Infinity`: for ever. */
  readonly limitMs: number;
}

/** So few are told of one by one. Taste, as the next. */
const fewUnits = 3;
/** So many reasons are told of. */
const mostReasons = 3;

const words: Readonly<Record<Goal, { readonly done: string; readonly doing: string }>> = {
  inactive: { done: 'unloaded', doing: 'unloading' },
  loaded: { done: 'loaded', doing: 'loading' },
  launched: { done: 'launched', doing: 'starting' },
  stopped: { done: 'stopped', doing: 'stopping' },
  gone: { done: 'destroyed', doing: 'going' },
  somewhere: { done: 'launched', doing: 'starting' },
};

/**
 * How far a wait is, for people who look on: how many are there, what the others are at or wait for, and how long it has
 * been and may be. The first line fits into `columns`; others may be longer.
 */
export function progressLines(progress: Progress, columns: number): string[] {
  const { pending, total } = progress;
  const [first] = pending;
  if (first === undefined) return [];
  if (total === 1) {
    const [name, { on, why, expectation }] = first;
    return [timed(`${name}: ${on === undefined ? words[expectation.goal].doing : why}`, progress, columns)];
  }
  const isFew = pending.size <= fewUnits;
  const reasons = reasonsOf(pending);
  const counts = countsText(progress, isFew ? [] : reasons);
  if (isFew) return [timed(counts, progress, columns), ...[...pending].map(([name, { why }]) => `  ${name}: ${why}`)];
  if (reasons.length < 2) return [timed(counts, progress, columns)];
  const more = reasons.length - mostReasons;
  const shown = reasons.slice(0, mostReasons).map(([why, count]) => `  ${count}: ${why}`);
  return [timed(counts, progress, columns), ...shown, ...(more > 0 ? [`  and for ${more} more reasons`] : [])];
}

/** What was waited for when Ctrl-C came. */
export function interruptedText({ pending, total, elapsedMs }: Progress): string {
  const { done } = wordsFor(pending);
  const units = total === 1 ? [...pending.keys()].join() : `${pending.size} of ${total} units`;
  const open = pending.size === 0 ? '' : `: ${units} ${total === 1 ? 'is' : 'are'} not ${done} yet`;
  return `Interrupted after ${seconds(elapsedMs)}${open}. What was asked for stands, and goes on by itself.`;
}

/** Some may be going while others are coming. */
function wordsFor(pending: Progress['pending']): { readonly done: string; readonly doing: string } {
  const goals = new Set([...pending.values()].map(({ expectation }) => expectation.goal));
  const [goal = 'launched'] = goals;
  return goals.size > 1 ? { done: 'done', doing: 'under way' } : words[goal];
}

function countsText({ pending, total, failed }: Progress, reasons: readonly Reason[]): string {
  const { done, doing } = wordsFor(pending);
  const busy = [...pending.values()].filter(({ on }) => on?.length !== 0);
  const machines = new Set(busy.flatMap(({ on = [] }) => on));
  const waiting = pending.size - busy.length;
  const [reason] = reasons;
  return [
    `${total - pending.size - failed} of ${total} ${done}${failed > 0 ? `, ${failed} failed` : ''}`,
    ...(busy.length > 0
      ? [`${busy.length} ${doing}${machines.size > 0 ? ` on ${countMachines(machines.size)}` : ''}`]
      : []),
    ...(waiting > 0 ? [`${waiting} wait${reasons.length === 1 ? `: ${reason?.[0]}` : ''}`] : []),
  ].join('; ');
}

type Reason = readonly [why: string, count: number];

/** Why units wait for a machine; first what most of them wait for. */
function reasonsOf(pending: Progress['pending']): Reason[] {
  const counts = new Map<string, number>();
  for (const { on, why } of pending.values()) if (on?.length === 0) counts.set(why, (counts.get(why) ?? 0) + 1);
  return [...counts].sort(([, one], [, other]) => other - one);
}

function timed(text: string, { elapsedMs, limitMs }: Progress, columns: number): string {
  const limit = limitMs === Number.POSITIVE_INFINITY ? '' : ` of ${seconds(limitMs)}`;
  const time = ` (${seconds(elapsedMs)}${limit})`;
  return clipLine(text, Math.max(1, columns - time.length)) + time;
}

function seconds(ms: number): string {
  return `${Math.floor(ms / 1000)} s`;
}
