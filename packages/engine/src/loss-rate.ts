/** So many at once, one more each time that an interval has passed, and so many at once again after a rest. */
export class LossRate {
  readonly #burst: number;
  readonly #intervalMs: number;
  #paidUntilMs: number;

  constructor({ burst, intervalMs, paidUntilMs }: LossRateOptions) {
    this.#burst = burst;
    this.#intervalMs = intervalMs;
    this.#paidUntilMs = paidUntilMs ?? Number.NEGATIVE_INFINITY;
  }

  /** When all that were taken would be over if they came one an interval. */
  get paidUntilMs(): number {
    return this.#paidUntilMs;
  }

  /** Counts one that is taken at `atMs`, not before the one counted last. */
  take(atMs: number): void {
    this.#paidUntilMs = Math.max(this.#paidUntilMs, atMs) + this.#intervalMs;
  }

  /** The earliest time at which another one may be taken. */
  nextMs(): number {
    return this.#paidUntilMs - (this.#burst - 1) * this.#intervalMs;
  }
}

export interface LossRateOptions {
  /** At least 1. */
  readonly burst: number;
  readonly intervalMs: number;
  /** To go on where another one is. */
  readonly paidUntilMs: number | undefined;
}
