import type { Clock, Logger } from '@flotilla/runtime';
import type { UnitFileHere } from '@flotilla/systemd';
import type { Requirements, UnitName } from '@flotilla/unit';
import type { CurrentUnit } from './current.js';
import type { DesiredUnit } from './desired.js';
import type { Task } from './reconcile.js';
import { isReplaced, progressOf, turnGroup } from './replacing.js';
import { Turns, type TurnsOptions } from './turns.js';
import { UnitRequirements, type UnitRequirementsOptions } from './unit-requirements.js';

export type RollingUpdatesOptions = TurnsOptions & UnitRequirementsOptions;

/** How things stand, as seen by one pass. */
export interface RollingSituation {
  readonly desired: ReadonlyMap<UnitName, DesiredUnit>;
  readonly current: ReadonlyMap<UnitName, CurrentUnit>;
  /** Those that are global units. */
  readonly globals: { has(name: UnitName): boolean };
  /** As long as this stays the same, so do the store and the machine's place in it. */
  readonly epoch: string;
}

/** A unit with its turn, or one that waits for it, and the group that takes turns with it. */
interface Queued {
  readonly unit: UnitName;
  readonly group: UnitName;
}

/** So long a new copy has to be well before the next one's turn: many a program fails as soon as it has read its files. */
const settleMs = 2_000;

/** A line of the log stays one that people can read. */
const mostNamesLogged = 20;

/** Sees to it that units with `Update=rolling` are replaced here only in their turn. */
export class RollingUpdates {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #requirements: UnitRequirements;
  readonly #turns: Turns;
  /** Since when the new copies are well that have their turn, by group. */
  readonly #wellSinceMs = new Map<UnitName, number>();
  /** When the first of them may have been well for long enough. */
  #settledAtMs = Number.POSITIVE_INFINITY;
  #waiting: ReadonlyMap<UnitName, UnitName> = new Map();

  constructor(options: RollingUpdatesOptions) {
    this.#clock = options.clock;
    this.#log = options.log;
    this.#requirements = new UnitRequirements(options);
    this.#turns = new Turns(options);
  }

  /**
   * The units that `due` would replace and whose turn it is not: each with its group. Has the turns taken that are needed, and
   * those given back that are not any more.
   *
   * @throws StoreError if the store can't be reached.
   */
  async findWaiting(due: readonly Task[], situation: RollingSituation): Promise<ReadonlyMap<UnitName, UnitName>> {
    const own = this.#turns.findOwn(situation.epoch);
    const queue = await this.#findQueue(due, situation, own);
    const wanted = new Map<UnitName, UnitName>();
    for (const { unit, group } of queue) if (own?.has(group) !== true && !wanted.has(group)) wanted.set(group, unit);
    this.#turns.want({ epoch: situation.epoch, wanted, over: this.#findOver(situation, own) });
    const waiting = new Map(queue.map(({ unit, group }) => [unit, group]));
    this.#tell(waiting);
    this.#waiting = waiting;
    return waiting;
  }

  /** Gives all turns back: this machine replaces nothing. */
  rest(epoch: string): void {
    const own = this.#turns.findOwn(epoch);
    this.#turns.want({ epoch, wanted: new Map(), over: new Set(own?.keys()) });
  }

  /** In how many milliseconds a new copy may have been well for long enough. */
  nextCheckMs(): number | undefined {
    if (this.#settledAtMs === Number.POSITIVE_INFINITY) return undefined;
    return Math.max(1, this.#settledAtMs - this.#clock.monotonicMs());
  }

  /** The store is asked again which turns this machine has. */
  doubt(): void {
    this.#turns.doubt();
  }

  async close(): Promise<void> {
    await this.#turns.close();
  }

  async #findQueue(
    due: readonly Task[],
    { desired, current, globals }: RollingSituation,
    own: ReadonlyMap<UnitName, UnitName> | undefined,
  ): Promise<Queued[]> {
    const asking = new Set<UnitName>();
    for (const { unit } of due) {
      const group = turnGroup(unit);
      // Of any other unit there is one copy.
      const hasTurns = group !== unit || globals.has(unit);
      const mayGo = own?.get(group) === unit;
      if (hasTurns && !mayGo && isReplaced(desired.get(unit), current.get(unit))) asking.add(unit);
    }
    const rules = await this.#readRules(asking, { desired, current });
    this.#requirements.forgetUnused();
    const queue = [...asking].sort().map((unit) => ({ unit, group: turnGroup(unit) }));
    return queue.filter(({ unit }) => rules.get(unit)?.isRolling === true);
  }

  async #readRules(
    names: ReadonlySet<UnitName>,
    { desired, current }: Pick<RollingSituation, 'desired' | 'current'>,
  ): Promise<ReadonlyMap<UnitName, Requirements>> {
    const wanted = new Map<UnitName, string>();
    const here = new Map<UnitName, UnitFileHere>();
    for (const name of names) {
      const [wish, file] = [desired.get(name), current.get(name)?.file];
      if (file !== undefined) here.set(name, file);
      if (wish?.kind === 'present') wanted.set(name, wish.file);
    }
    return await this.#requirements.read(wanted, here);
  }

  #findOver(
    { desired, current }: RollingSituation,
    own: ReadonlyMap<UnitName, UnitName> | undefined,
  ): ReadonlySet<UnitName> {
    const over = new Set<UnitName>();
    const nowMs = this.#clock.monotonicMs();
    this.#settledAtMs = Number.POSITIVE_INFINITY;
    for (const group of this.#wellSinceMs.keys()) if (own?.has(group) !== true) this.#wellSinceMs.delete(group);
    for (const [group, unit] of own ?? []) {
      const progress = progressOf(desired.get(unit), current.get(unit));
      const wellSinceMs = this.#wellSinceMs.get(group) ?? nowMs;
      if (progress === 'settling') this.#wellSinceMs.set(group, wellSinceMs);
      else this.#wellSinceMs.delete(group);
      const isSettled = progress === 'settling' && nowMs - wellSinceMs >= settleMs;
      if (isSettled || progress === 'over') over.add(group);
      else if (progress === 'settling') this.#settledAtMs = Math.min(this.#settledAtMs, wellSinceMs + settleMs);
    }
    return over;
  }

  #tell(waiting: ReadonlyMap<UnitName, UnitName>): void {
    const names = [...waiting.keys()].filter((name) => !this.#waiting.has(name));
    const [first] = names;
    if (first === undefined) return;
    const holder = this.#turns.findHolder(waiting.get(first) ?? first);
    const units = names.slice(0, mostNamesLogged);
    this.#log.info('units wait for their turn to be replaced', {
      units,
      count: names.length,
      ...(holder && { holder }),
    });
  }
}
