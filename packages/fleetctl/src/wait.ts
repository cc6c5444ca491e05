import { isTransient } from '@flotilla/client';
import { sleep } from '@flotilla/runtime';
import type { UnitEntity, UnitStateEntity } from '@flotilla/schema';
import type { Context } from './context.js';
import { formatDuration } from './duration.js';
import { messageOf } from './errors.js';
import type { Outcome } from './exit-codes.js';
import { MachineDirectory } from './machine-label.js';
import type { Screen } from './terminal.js';
import type { UnitReader } from './unit-reader.js';
import { type Expectation, fingerprint, isRunning, judge, type Verdict } from './verdict.js';

/**
 * Units start in some ten milliseconds, many at once in some milliseconds each; looks without news come ever more
 * rarely, up to fleet's 250 ms. A look at many is work for the API, on machines that are busy with starting them.
 */
const firstPauseMs = 30;
const firstPausePerChangeMs = 2;
const longestFirstPauseMs = 1000;
const longestMovingPauseMs = 100;
const longestPauseMs = 250;

/** A line of progress must not wrap: only one line can be taken back. */
const progressWidth = 79;

/** A unit that is waited for, and what this wait remembers of it. */
class PendingUnit {
  readonly expectation: Expectation;
  /** What it waits for, as of the last look. */
  why = 'nothing is known of it yet';
  #look = '';
  #lookedSinceMs = 0;
  #hasRun = false;

  constructor(expectation: Expectation) {
    this.expectation = expectation;
  }

  judge(unit: UnitEntity | undefined, states: readonly UnitStateEntity[], nowMs: number): Verdict {
    const look = fingerprint(states);
    if (look !== this.#look) this.#lookedSinceMs = nowMs;
    this.#look = look;
    const { hash } = this.expectation;
    const isWanted = (state: UnitStateEntity) => hash === undefined || state.hash === hash;
    this.#hasRun ||= unit?.currentState === 'launched' && states.some((state) => isWanted(state) && isRunning(state));
    const unchangedMs = nowMs - this.#lookedSinceMs;
    const verdict = judge(this.expectation, { unit, states, unchangedMs, hasRun: this.#hasRun });
    if (verdict.kind === 'waiting') this.why = verdict.why;
    return verdict;
  }
}

/** What to wait for. */
export interface WaitOptions {
  readonly expectations: readonly Expectation[];
  /** How many of the units have just been changed; without any, the first look is at once. */
  readonly changes: number;
  /** `Infinity`: for ever. */
  readonly limitMs: number;
}

/**
 * Waits until every unit is as expected, has failed, or the time is over. Each unit's outcome is printed as it comes.
 *
 * @returns The outcome by name, for all of `expectations`.
 */
export async function waitForUnits(context: Context, options: WaitOptions): Promise<Map<string, Outcome>> {
  const { expectations, changes, limitMs } = options;
  const { clock, reader, screen } = context;
  const machines = new MachineDirectory(context.client);
  const startedMs = clock.monotonicMs();
  const elapsedMs = () => clock.monotonicMs() - startedMs;
  const outcomes = new Map<string, Outcome>();
  const pending = new Map(expectations.map((each) => [each.name, new PendingUnit(each)]));
  const movingPauseMs = Math.min(firstPauseMs + expectations.length, longestMovingPauseMs);
  let pauseMs = firstPauseMs;
  if (changes > 0 && pending.size > 0) {
    const headStartMs = Math.min(firstPauseMs + (changes - 1) * firstPausePerChangeMs, longestFirstPauseMs, limitMs);
    await sleep(clock, headStartMs);
  }
  while (pending.size > 0) {
    const lookedMs = elapsedMs();
    const { size } = pending;
    for (const [name, verdict] of await look(reader, pending, lookedMs)) {
      if (verdict.kind === 'waiting') continue;
      pending.delete(name);
      outcomes.set(name, verdict.kind === 'reached' ? 'done' : 'failed');
      await report({ name, verdict, screen, machines });
    }
    if (pending.size === 0 || lookedMs >= limitMs) break;
    screen.progress(progressText(pending, expectations.length));
    // A look that takes long is not repeated at once: the API has other callers, and machines their work.
    const untilNextMs = Math.max(pauseMs, 2 * (elapsedMs() - lookedMs));
    await sleep(clock, Math.max(0, Math.min(untilNextMs, limitMs - elapsedMs())));
    // Where one unit got there, others are about to.
    pauseMs = pending.size < size ? movingPauseMs : Math.min(pauseMs * 2, longestPauseMs);
  }
  screen.progress('');
  for (const [name, { expectation, why }] of pending) {
    outcomes.set(name, 'pending');
    const what = `is not ${expectation.goal} after ${formatDuration(limitMs)}`;
    screen.err(screen.palette.waiting(`Unit ${name} ${what}: ${why}`));
  }
  return outcomes;
}

/** One look at all pending units. A daemon that is away for a moment is a reason to wait, like any other. */
async function look(
  reader: UnitReader,
  pending: ReadonlyMap<string, PendingUnit>,
  nowMs: number,
): Promise<[string, Verdict][]> {
  const names = [...pending.keys()];
  try {
    const [units, states] = await Promise.all([reader.units(names), reader.states(names)]);
    return [...pending].map(([name, unit]) => [name, unit.judge(units.get(name), states.get(name) ?? [], nowMs)]);
  } catch (error) {
    if (!isTransient(error)) throw error;
    for (const unit of pending.values()) unit.why = messageOf(error);
    return [];
  }
}

interface Report {
  readonly name: string;
  readonly verdict: Exclude<Verdict, { readonly kind: 'waiting' }>;
  readonly screen: Screen;
  readonly machines: MachineDirectory;
}

async function report({ name, verdict, screen, machines }: Report): Promise<void> {
  const on = verdict.machineID === undefined ? '' : ` on ${await machines.label(verdict.machineID)}`;
  if (verdict.kind === 'failed') screen.err(screen.palette.bad(`Unit ${name} failed${on}: ${verdict.why}`));
  else if (verdict.state === 'gone') screen.out(`Destroyed ${name}`);
  else screen.out(`Unit ${name} ${verdict.state}${on}`);
}

function progressText(pending: ReadonlyMap<string, PendingUnit>, total: number): string {
  const [first] = pending;
  if (first === undefined) return '';
  const [name, { why }] = first;
  return `waiting for ${pending.size} of ${total} units; ${name}: ${why}`.slice(0, progressWidth);
}
