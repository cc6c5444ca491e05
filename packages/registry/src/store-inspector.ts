import type { Clock } from '@flotilla/runtime';
import type { Store } from './store.js';
import { type StoreAlarm, type StoreHealth, storeAlarms } from './store-health.js';

/** A look at the store's health. */
export interface Inspection {
  readonly health: StoreHealth;
  /** What an operator should see to, the worst first. */
  readonly alarms: readonly StoreAlarm[];
}

/** Looks at the store's health when it is asked to, and remembers what it saw. Never looks by itself. */
export class StoreInspector {
  readonly #options: { readonly store: Store; readonly clock: Clock };
  #last: { readonly inspection: Inspection; readonly atMs: number } | undefined;
  #running: Promise<Inspection> | undefined;

  constructor(options: { readonly store: Store; readonly clock: Clock }) {
    this.#options = options;
  }

  /** What the last look found; `undefined` before the first. */
  get last(): Inspection | undefined {
    return this.#last?.inspection;
  }

  /**
   * A look that is not older than `maxAgeMs`. All who ask while one is under way get that one.
   *
   * @throws StoreError if the store is closed.
   */
  inspect(maxAgeMs: number): Promise<Inspection> {
    const last = this.#last;
    if (last !== undefined && this.#options.clock.monotonicMs() - last.atMs < maxAgeMs)
      return Promise.resolve(last.inspection);
    this.#running ??= this.#look().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #look(): Promise<Inspection> {
    const { clock, store } = this.#options;
    const health = await store.readHealth();
    const inspection = { health, alarms: storeAlarms(health) };
    this.#last = { inspection, atMs: clock.monotonicMs() };
    return inspection;
  }
}
