import type { MachineId } from '@flotilla/cluster';
import type { Store } from '@flotilla/registry';
import { type Clock, jittered, type Logger } from '@flotilla/runtime';
import type { UnitName } from '@flotilla/unit';
import { readVerdicts, type Verdict } from './confirm.js';

/** What becomes of a unit without an order is in no range that this machine follows, so it asks. Taste. */
const recheckMs = 5_000;

export interface MissingUnitsOptions {
  readonly store: Store;
  readonly machine: MachineId;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Said when two looks in a row came to the same: a first look may be ahead of the watch. */
const messages: Readonly<Record<Exclude<Verdict, 'gone'>, string>> = {
  'placed-here': 'a unit is placed here and has no order; it is kept as it is',
  waiting: 'a unit has no order and waits for a machine; it is kept as it is',
  unreadable: 'a unit has no order and its record can not be read; it is kept as it is',
};

/** What the store says of the units of this machine that it has no order for: asked again while it is no order either. */
export class MissingUnits {
  readonly #options: MissingUnitsOptions;
  readonly #verdicts = new Map<UnitName, Verdict>();
  readonly #told = new Map<UnitName, Verdict>();
  #epoch = '';
  #recheckAtMs = 0;

  constructor(options: MissingUnitsOptions) {
    this.#options = options;
  }

  get verdicts(): ReadonlyMap<UnitName, Verdict> {
    return this.#verdicts;
  }

  /** Asks the store, if there is something to ask. In another `epoch` no earlier answer counts. Says whether it asked. */
  async confirm(missing: readonly UnitName[], epoch: string): Promise<boolean> {
    const { store, machine, clock } = this.#options;
    if (this.#epoch !== epoch) this.#verdicts.clear();
    this.#epoch = epoch;
    const wanted = new Set(missing);
    for (const name of this.#verdicts.keys()) if (!wanted.has(name)) this.#verdicts.delete(name);
    for (const name of this.#told.keys()) if (!wanted.has(name)) this.#told.delete(name);
    const standing = missing.filter((name) => this.#verdicts.get(name) !== 'gone');
    const isDue = clock.monotonicMs() >= this.#recheckAtMs || standing.some((name) => !this.#verdicts.has(name));
    if (standing.length === 0 || !isDue) return false;
    for (const [name, verdict] of await readVerdicts(store, machine, standing)) this.#note(name, verdict);
    this.#recheckAtMs = clock.monotonicMs() + jittered(clock, recheckMs);
    return true;
  }

  /** How long until the store is to be asked again. */
  nextCheckMs(): number | undefined {
    const stands = [...this.#verdicts.values()].some((verdict) => verdict !== 'gone');
    return stands ? Math.max(1, this.#recheckAtMs - this.#options.clock.monotonicMs()) : undefined;
  }

  #note(name: UnitName, verdict: Verdict): void {
    const isConfirmed = this.#verdicts.get(name) === verdict;
    this.#verdicts.set(name, verdict);
    if (verdict === 'gone' || !isConfirmed || this.#told.get(name) === verdict) return;
    this.#told.set(name, verdict);
    this.#options.log.warn(messages[verdict], { unit: name });
  }
}
