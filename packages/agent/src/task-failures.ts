import { type Clock, jittered } from '@flotilla/runtime';
import type { UnitName } from '@flotilla/unit';

/** The wait after the first failure of a unit doubles up to the longest. Taste: quick at first, no burden for good. */
const firstWaitMs = 250;
const longestWaitMs = 300_000;

interface Failure {
  readonly message: string;
  /** What was asked for when it failed; asking for something else is a new chance. */
  readonly wish: string;
  readonly count: number;
  readonly retryAtMs: number;
}

/** What went wrong with which unit, and when it may be tried again. */
export class TaskFailures {
  readonly #clock: Clock;
  readonly #failures = new Map<UnitName, Failure>();
  #heldAtMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Forgets the failures of all units of which something else, or nothing, is asked now. */
  keep(findWish: (name: UnitName) => string | undefined): void {
    for (const [name, failure] of this.#failures) if (findWish(name) !== failure.wish) this.#failures.delete(name);
  }

  /** The units that are not to be touched yet. */
  held(): Set<UnitName> {
    const nowMs = this.#clock.monotonicMs();
    this.#heldAtMs = nowMs;
    return new Set([...this.#failures].filter(([, failure]) => failure.retryAtMs > nowMs).map(([name]) => name));
  }

  add(name: UnitName, { message, wish }: { readonly message: string; readonly wish: string }): void {
    const count = (this.#failures.get(name)?.count ?? 0) + 1;
    const waitMs = jittered(this.#clock, Math.min(firstWaitMs * 2 ** (count - 1), longestWaitMs));
    this.#failures.set(name, { message, wish, count, retryAtMs: this.#clock.monotonicMs() + waitMs });
  }

  /** Those that failed for want of one of `names`, by what systemd said, have a new chance at once. */
  retryFor(names: readonly UnitName[]): void {
    for (const [name, failure] of this.#failures) {
      if (names.some((other) => other !== name && failure.message.includes(other)))
        this.#failures.set(name, { ...failure, retryAtMs: this.#clock.monotonicMs() });
    }
  }

  clear(name: UnitName): void {
    this.#failures.delete(name);
  }

  message(name: UnitName): string | undefined {
    return this.#failures.get(name)?.message;
  }

  /** How long until the next unit may be tried again of those that the last {@link held} gave, or that have failed since. */
  nextRetryMs(): number | undefined {
    // One that was due by then, and is still here, waits for something else. One that fell due since was held all the same.
    const due = [...this.#failures.values()].map(({ retryAtMs }) => retryAtMs).filter((ms) => ms > this.#heldAtMs);
    const nextMs = due.reduce((least, ms) => Math.min(least, ms), Number.POSITIVE_INFINITY);
    return due.length === 0 ? undefined : Math.max(1, nextMs - this.#clock.monotonicMs());
  }
}
