import { type Clock, type Logger, sleep, type Timer } from '@flotilla/runtime';
import { type LeaseId, type Store, StoreError } from './store.js';

/**
 * The part of a lease's time after which its holder acts as if it were gone: early enough that the holder stops
 * before anyone else may take over, as the store deletes the keys at 1.0 at the earliest.
 */
const fenceShare = 0.8;

/** A keepalive goes out three times in a lease's life, so that two may be lost. */
const keepalivesPerTtl = 3;

export interface HoldLeaseOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly ttlSeconds: number;
  /** A lease of an earlier process to go on with; a new one is made if it no longer exists. */
  readonly id?: LeaseId;
}

/** A lease that is being kept alive. */
export interface HeldLease {
  readonly id: LeaseId;
  /** What the store granted. */
  readonly ttlSeconds: number;
  /**
   * Whether the lease surely still exists: less than 0.8 of its time has passed since the sending of the last
   * keepalive that was answered. Needs no agreement of clocks, and holds after the process was stopped. Ask before
   * each act that needs the lease.
   */
  isFresh(): boolean;
  /** Until when `isFresh` holds if no other keepalive is answered, on the monotonic clock. */
  readonly freshUntilMs: number;
  /** Calls back each time that `freshUntilMs` has become later. */
  onRenewed(listener: () => void): void;
  /** Aborts when the store says that the lease is gone, or when `isFresh` has turned false. */
  readonly lost: AbortSignal;
  /** Ends the lease and its keys. Rejects if the store can't be reached. */
  release(): Promise<void>;
  /** Stops keeping it alive and leaves it to a next process, or to its end. */
  abandon(): void;
}

/** Takes a lease over by its ID, or makes a new one, and keeps it alive. Rejects with a `StoreError`. */
export async function holdLease(options: HoldLeaseOptions): Promise<HeldLease> {
  const { store, clock, id, ttlSeconds } = options;
  const sentAtMs = clock.monotonicMs();
  const taken = id === undefined ? undefined : await store.keepLeaseAlive(id);
  if (taken !== undefined) return new KeptLease(options, taken.id, { sentAtMs, ttlSeconds: taken.ttlSeconds });
  const askedAtMs = clock.monotonicMs();
  const granted = await store.grantLease(ttlSeconds);
  return new KeptLease(options, granted.id, { sentAtMs: askedAtMs, ttlSeconds: granted.ttlSeconds });
}

interface Proof {
  /** When the answered keepalive (or the grant) was sent, on the monotonic clock. */
  readonly sentAtMs: number;
  readonly ttlSeconds: number;
}

class KeptLease implements HeldLease {
  readonly id: LeaseId;
  readonly #options: HoldLeaseOptions;
  readonly #lost = new AbortController();
  readonly #ended = new AbortController();
  readonly #listeners: (() => void)[] = [];
  #proof: Proof;
  #fence: Timer;

  constructor(options: HoldLeaseOptions, id: LeaseId, proof: Proof) {
    this.#options = options;
    this.id = id;
    this.#proof = proof;
    this.#fence = this.#armFence();
    void this.#keepAlive();
  }

  get ttlSeconds(): number {
    return this.#proof.ttlSeconds;
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  isFresh(): boolean {
    return !this.#ended.signal.aborted && this.#freshForMs() > 0;
  }

  get freshUntilMs(): number {
    const { sentAtMs, ttlSeconds } = this.#proof;
    return sentAtMs + ttlSeconds * 1000 * fenceShare;
  }

  onRenewed(listener: () => void): void {
    this.#listeners.push(listener);
  }

  async release(): Promise<void> {
    this.abandon();
    await this.#options.store.revokeLease(this.id);
  }

  abandon(): void {
    this.#ended.abort();
    this.#fence.cancel();
  }

  #lose(): void {
    if (this.#ended.signal.aborted) return;
    this.abandon();
    this.#lost.abort();
  }

  #freshForMs(): number {
    return this.freshUntilMs - this.#options.clock.monotonicMs();
  }

  #armFence(): Timer {
    return this.#options.clock.setTimer(Math.max(this.#freshForMs(), 0), () => this.#lose());
  }

  async #keepAlive(): Promise<void> {
    const { clock, log, store } = this.#options;
    const signal = this.#ended.signal;
    let waitMs = this.#intervalMs();
    for (;;) {
      await sleep(clock, waitMs, signal);
      if (signal.aborted) return;
      const sentAtMs = clock.monotonicMs();
      try {
        const renewed = await store.keepLeaseAlive(this.id);
        if (signal.aborted) return;
        if (renewed === undefined) return this.#lose();
        this.#proof = { sentAtMs, ttlSeconds: renewed.ttlSeconds };
        this.#fence.cancel();
        this.#fence = this.#armFence();
        waitMs = this.#intervalMs();
        for (const listener of this.#listeners) listener();
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        log.debug('keepalive failed', { lease: this.id, error });
        waitMs = this.#intervalMs() / 4;
      }
    }
  }

  #intervalMs(): number {
    return (this.#proof.ttlSeconds * 1000) / keepalivesPerTtl;
  }
}
