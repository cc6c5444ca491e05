import { isTransient } from '@flotilla/client';
import type { UnitEntity, UnitStateEntity } from '@flotilla/schema';
import { messageOf } from './errors.js';
import type { PendingProgress } from './progress-lines.js';
import type { UnitReader } from './unit-reader.js';
import { type Expectation, type FinalVerdict, fingerprint, isRunning, judge, mayEnd, type Verdict } from './verdict.js';

/** How often the units are read while the states tell of the end of many. Reading units costs the API several times as much. */
const newsMs = 250;
/** How often they are read else: for the few that are done, the reasons that others wait, and what is asked of them. */
const noNewsMs = 1000;

/** A unit that is waited for, and what this wait remembers of it. */
class PendingUnit {
  readonly expectation: Expectation;
  /** What it waits for, as of the last look. */
  why = 'nothing is known of it yet';
  /** The machines that are at it; none: it waits for one; `undefined` before the first judgement. */
  on: readonly string[] | undefined;
  #look = '';
  #lookedSinceMs = 0;
  #hasRun = false;

  constructor(expectation: Expectation) {
    this.expectation = expectation;
  }

  /** Takes a look at its states. @returns Whether they may be the end, if the unit is where it is wanted. */
  see(states: readonly UnitStateEntity[], nowMs: number): boolean {
    const look = fingerprint(states);
    if (look !== this.#look) this.#lookedSinceMs = nowMs;
    this.#look = look;
    return mayEnd(this.expectation, { states, unchangedMs: nowMs - this.#lookedSinceMs, hasRun: this.#hasRun });
  }

  /** Judges it after {@link see} has seen these states. */
  judge(unit: UnitEntity | undefined, states: readonly UnitStateEntity[], nowMs: number): Verdict {
    const { machineID } = this.expectation;
    const isLaunched = machineID !== undefined || unit?.currentState === 'launched';
    this.#hasRun ||= isLaunched && states.some((state) => isWanted(this.expectation, state) && isRunning(state));
    const unchangedMs = nowMs - this.#lookedSinceMs;
    const verdict = judge(this.expectation, { unit, states, unchangedMs, hasRun: this.#hasRun });
    if (verdict.kind === 'waiting') {
      this.why = verdict.why;
      this.on = this.#machinesAtIt(unit, states);
    }
    return verdict;
  }

  #machinesAtIt(unit: UnitEntity | undefined, states: readonly UnitStateEntity[]): readonly string[] {
    if (this.expectation.goal !== 'launched' && this.expectation.goal !== 'loaded')
      return states.map(({ machineID }) => machineID);
    return unit?.machineID === undefined || unit.reason !== undefined ? [] : [unit.machineID];
  }
}

/** Whether a state is about the copy that is waited for. After a restart, one that stops is the copy before. */
function isWanted({ hash, order, machineID }: Expectation, state: UnitStateEntity): boolean {
  if (hash !== undefined && state.hash !== hash) return false;
  if (machineID !== undefined && state.machineID !== machineID) return false;
  return order === undefined || ((state.order ?? 0) >= order && state.systemdActiveState !== 'deactivating');
}

/** Looks at units again and again, with as little work for the API as tells what there is to tell. */
export class Lookout {
  readonly #reader: UnitReader;
  readonly #pending: Map<string, PendingUnit>;
  /** When the units were last read; `undefined`: not yet, and there is nothing to wait for before. */
  #unitsReadMs: number | undefined;

  /** @param nowMs When the units were last known to be on their way; `undefined` if they may be there already. */
  constructor(reader: UnitReader, expectations: readonly Expectation[], nowMs: number | undefined) {
    this.#reader = reader;
    this.#pending = new Map(expectations.map((each) => [each.name, new PendingUnit(each)]));
    this.#unitsReadMs = nowMs;
  }

  /** The units whose verdict has not come. */
  get pending(): ReadonlyMap<string, PendingProgress> {
    return this.#pending;
  }

  /**
   * One look at all pending units. A daemon that is away for a moment is a reason to wait, like any other.
   *
   * @returns The verdicts that have come; their units are no longer pending.
   */
  async look(nowMs: number, { isLast }: { readonly isLast: boolean }): Promise<[string, FinalVerdict][]> {
    const names = [...this.#pending.keys()];
    try {
      const states = await this.#reader.states(names);
      const ends = [...this.#pending].filter(([name, unit]) => unit.see(states.get(name) ?? [], nowMs)).length;
      if (!isLast && !this.#isUnitsTurn(ends, nowMs)) return [];
      const units = await this.#reader.units(names);
      this.#unitsReadMs = nowMs;
      return this.#judge(units, states, nowMs);
    } catch (error) {
      if (!isTransient(error)) throw error;
      for (const unit of this.#pending.values()) unit.why = messageOf(error);
      return [];
    }
  }

  #isUnitsTurn(ends: number, nowMs: number): boolean {
    if (this.#unitsReadMs === undefined || ends === this.#pending.size) return true;
    return nowMs - this.#unitsReadMs >= (2 * ends >= this.#pending.size ? newsMs : noNewsMs);
  }

  #judge(
    units: ReadonlyMap<string, UnitEntity>,
    states: ReadonlyMap<string, readonly UnitStateEntity[]>,
    nowMs: number,
  ): [string, FinalVerdict][] {
    const verdicts: [string, FinalVerdict][] = [];
    for (const [name, unit] of this.#pending) {
      const verdict = unit.judge(units.get(name), states.get(name) ?? [], nowMs);
      if (verdict.kind !== 'waiting') verdicts.push([name, verdict]);
    }
    for (const [name] of verdicts) this.#pending.delete(name);
    return verdicts;
  }
}
