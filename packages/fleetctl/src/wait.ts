import { sleep } from '@flotilla/runtime';
import type { Context } from './context.js';
import type { Outcome } from './exit-codes.js';
import { Lookout } from './lookout.js';
import { MachineDirectory } from './machine-label.js';
import { pendingLines } from './pending-lines.js';
import { interruptedText, type Progress, progressLines } from './progress-lines.js';
import { progressColumns, type Screen } from './terminal.js';
import type { Expectation, FinalVerdict } from './verdict.js';

/**
 * Units start in some ten milliseconds, many at once in some milliseconds each. A look at many is work for machines
 * that are busy with starting them; one at a unit or two is not. Looks come ever more rarely, up to fleet's 250 ms.
 */
const fewUnits = 4;
const pauseForFewMs = 10;
const shortestPauseMs = 30;
const pausePerUnitMs = 1;
const pauseForManyMs = 100;
const headStartPerChangeMs = 2;
const longestHeadStartMs = 1000;
const pausePerElapsed = 1 / 8;
const longestPauseMs = 250;
/** A look at many that takes long takes fleetd's time from the units: no more than a quarter of it, while that is no long wait. */
const pausePerLook = 3;
const longestPausePerLookMs = 1000;

/** Where no line can be taken back, progress is told after this time, and each time that it has doubled. Taste. */
const firstTellMs = 5000;

/** How the wait for a unit ended. */
export interface UnitEnd {
  readonly outcome: Outcome;
  /** Part of a sentence. Absent if it is as wanted. */
  readonly why?: string;
  /** Where it is, or failed. */
  readonly machineID?: string;
}

/** What to wait for. */
export interface WaitOptions {
  readonly expectations: readonly Expectation[];
  /** How many of the units have just been changed; without any, the first look is at once. */
  readonly changes: number;
  /** `Infinity`: for ever. */
  readonly limitMs: number;
  /** @default one that knows none yet */
  readonly machines?: MachineDirectory;
  /** Is told of each unit's end, beside what is printed. */
  readonly ended?: (name: string, end: UnitEnd) => void;
}

/**
 * Waits until every unit is as expected, has failed, or the time is over. Each unit's outcome is printed as it comes.
 *
 * @returns The outcome by name, for all of `expectations`.
 */
export async function waitForUnits(context: Context, options: WaitOptions): Promise<Map<string, Outcome>> {
  const { expectations, changes, limitMs } = options;
  const { clock, reader, screen } = context;
  const { machines = new MachineDirectory(context.client), ended = () => undefined } = options;
  const startedMs = clock.monotonicMs();
  const elapsedMs = () => clock.monotonicMs() - startedMs;
  const outcomes = new Map<string, Outcome>();
  const lookout = new Lookout(reader, expectations, changes > 0 ? 0 : undefined);
  const { pending } = lookout;
  const progress = (): Progress => ({
    pending,
    total: expectations.length,
    failed: [...outcomes.values()].filter((outcome) => outcome === 'failed').length,
    elapsedMs: elapsedMs(),
    limitMs,
  });
  const stopListening = screen.terminal.onInterrupt(() => screen.err(interruptedText(progress())));
  let tellAtMs = firstTellMs;
  if (pending.size > 0) await sleep(clock, Math.min(headStartMs(changes), limitMs));
  // What the machines are called is known by the time that it is to be told; until now it would be in the units' way.
  if (expectations.some(({ goal }) => goal === 'launched' || goal === 'loaded')) machines.prefetch();
  while (pending.size > 0) {
    const lookedMs = elapsedMs();
    for (const [name, verdict] of await lookout.look(lookedMs, { isLast: lookedMs >= limitMs })) {
      const end = endOf(verdict);
      outcomes.set(name, end.outcome);
      ended(name, end);
      await report({ name, verdict, screen, machines });
    }
    if (pending.size === 0 || lookedMs >= limitMs) break;
    screen.progress(...progressLines(progress(), progressColumns(screen.terminal)));
    const nowMs = elapsedMs();
    if (!screen.isErrTerminal && nowMs >= tellAtMs) {
      tellAtMs = 2 * nowMs;
      screen.err(progressText(pending, expectations.length));
    }
    const rareMs = Math.min(nowMs * pausePerElapsed, longestPauseMs);
    const pauseMs = Math.max(pauseAfterLookMs(pending.size, nowMs - lookedMs), rareMs);
    await sleep(clock, Math.max(0, Math.min(pauseMs, limitMs - nowMs)));
  }
  stopListening();
  screen.progress();
  for (const [name, { why }] of pending) {
    outcomes.set(name, 'pending');
    ended(name, { outcome: 'pending', why });
  }
  for (const line of pendingLines(pending, limitMs)) screen.err(screen.palette.waiting(line));
  return outcomes;
}

function endOf(verdict: FinalVerdict): UnitEnd {
  const on = verdict.machineID === undefined ? {} : { machineID: verdict.machineID };
  return verdict.kind === 'reached' ? { outcome: 'done', ...on } : { outcome: 'failed', why: verdict.why, ...on };
}

function headStartMs(changes: number): number {
  return changes === 0 ? 0 : Math.min(shortestPauseMs + (changes - 1) * headStartPerChangeMs, longestHeadStartMs);
}

function pauseAfterLookMs(units: number, lookMs: number): number {
  if (units <= fewUnits) return Math.max(pauseForFewMs, lookMs);
  const leastMs = Math.min(shortestPauseMs + units * pausePerUnitMs, pauseForManyMs);
  return Math.max(leastMs, lookMs, Math.min(lookMs * pausePerLook, longestPausePerLookMs));
}

interface Report {
  readonly name: string;
  readonly verdict: FinalVerdict;
  readonly screen: Screen;
  readonly machines: MachineDirectory;
}

async function report({ name, verdict, screen, machines }: Report): Promise<void> {
  const on = verdict.machineID === undefined ? '' : ` on ${await machines.label(verdict.machineID)}`;
  if (verdict.kind === 'failed') screen.err(screen.palette.bad(`Unit ${name} failed${on}: ${verdict.why}`));
  else if (verdict.state === 'somewhere') return;
  else if (verdict.state === 'gone') screen.out(`Destroyed ${name}`);
  else screen.out(`Unit ${name} ${verdict.state}${on}`);
}

function progressText(pending: Lookout['pending'], total: number): string {
  const [first] = pending;
  if (first === undefined) return '';
  const [name, { why }] = first;
  return `waiting for ${pending.size} of ${total} units; ${name}: ${why}`;
}
