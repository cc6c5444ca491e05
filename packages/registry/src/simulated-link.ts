import type { MemoryStore } from './memory-store.js';
import type { SimulatedProcess, SimulatedTime } from './simulated-time.js';
import {
  type CompactOutcome,
  type LeaseGrant,
  type LeaseId,
  type RangeRequest,
  type RangeResult,
  type Revision,
  type Store,
  StoreError,
  type Transaction,
  type TransactionResult,
  type Watch,
  type WatchListener,
  type WatchRequest,
} from './store.js';
import type { StoreHealth } from './store-health.js';

/** What the network does to messages, each way. Chances are between 0 and 1. */
export interface Weather {
  readonly lossChance: number;
  readonly lateChance: number;
  /** What a message that is not late may take. */
  readonly usualDelayMs: number;
}

export const fairWeather: Weather = { lossChance: 0, lateChance: 0, usualDelayMs: 20 };

/** How long a process waits for an answer, and how late one may be: longer than a lease lives. */
const requestTimeoutMs = 2_000;
export const longestDelayMs = 15_000;

export interface SimulatedLinkOptions {
  readonly store: MemoryStore;
  readonly time: SimulatedTime;
  readonly process: SimulatedProcess;
  readonly random: () => number;
  readonly weather: () => Weather;
}

/**
 * A process's way to the store. A request may be lost, or arrive after its sender gave up and be carried out all the
 * same; an answer may be lost or late; a watch is late, in order, and may break.
 */
export class SimulatedLink implements Store {
  readonly #options: SimulatedLinkOptions;
  readonly #openWatches = new Set<{ end(): void }>();
  #losesRequestsUntilMs = 0;
  #losesRepliesUntilMs = 0;

  constructor(options: SimulatedLinkOptions) {
    this.#options = options;
  }

  range(request: RangeRequest): Promise<RangeResult> {
    return this.#call('unavailable', () => this.#options.store.range(request));
  }

  transact(transaction: Transaction): Promise<TransactionResult> {
    return this.#call('uncertain', () => this.#options.store.transact(transaction));
  }

  grantLease(ttlSeconds: number): Promise<LeaseGrant> {
    return this.#call('uncertain', () => this.#options.store.grantLease(ttlSeconds));
  }

  keepLeaseAlive(id: LeaseId): Promise<LeaseGrant | undefined> {
    return this.#call('unavailable', () => this.#options.store.keepLeaseAlive(id));
  }

  revokeLease(id: LeaseId): Promise<void> {
    return this.#call('uncertain', () => this.#options.store.revokeLease(id));
  }

  compact(revision: Revision): Promise<CompactOutcome> {
    return this.#call('uncertain', () => this.#options.store.compact(revision));
  }

  readHealth(): Promise<StoreHealth> {
    return this.#options.store.readHealth();
  }

  watch(request: WatchRequest, listener: WatchListener): Watch {
    const { store, time, process } = this.#options;
    let isOpen = true;
    let lastMs = 0;
    const tell = (run: () => void) => {
      lastMs = Math.max(lastMs, time.nowMs + this.#delayMs(), this.#losesRepliesUntilMs);
      time.schedule(lastMs - time.nowMs, () => process.deliver('message', () => isOpen && run()));
    };
    const breakWith: WatchListener['onBroken'] = (reason) => {
      this.#openWatches.delete(open);
      tell(() => {
        isOpen = false;
        listener.onBroken(reason);
      });
    };
    const inner = store.watch(request, {
      onEvents: (events, revision) => tell(() => listener.onEvents(events, revision)),
      onBroken: breakWith,
    });
    const open = {
      end: () => {
        inner.close();
        breakWith('compacted');
      },
    };
    this.#openWatches.add(open);
    return {
      close: () => {
        isOpen = false;
        inner.close();
        this.#openWatches.delete(open);
      },
    };
  }

  async close(): Promise<void> {
    await this.#options.store.close();
  }

  /** Loses every message of one direction, or of both, for a while. */
  cut(direction: 'requests' | 'replies' | 'both', ms: number): void {
    const untilMs = this.#options.time.nowMs + ms;
    if (direction !== 'replies') this.#losesRequestsUntilMs = untilMs;
    if (direction !== 'requests') this.#losesRepliesUntilMs = untilMs;
  }

  heal(): void {
    this.#losesRequestsUntilMs = 0;
    this.#losesRepliesUntilMs = 0;
  }

  /** What a compaction does to a watch that lags. */
  breakWatches(): void {
    for (const watch of this.#openWatches) watch.end();
  }

  #call<T>(onSilence: 'unavailable' | 'uncertain', call: () => Promise<T>): Promise<T> {
    const { time, process } = this.#options;
    return new Promise((resolve, reject) => {
      const timeout = process.setTimer(requestTimeoutMs, () => reject(new StoreError(onSilence, 'no answer in time')));
      const reply = (settle: () => void) => {
        if (this.#isLost(this.#losesRepliesUntilMs)) return;
        time.schedule(this.#delayMs(), () =>
          process.deliver('message', () => {
            timeout.cancel();
            settle();
          }),
        );
      };
      if (this.#isLost(this.#losesRequestsUntilMs)) return;
      time.schedule(this.#delayMs(), () => {
        call().then(
          (answer) => reply(() => resolve(answer)),
          (error) => reply(() => reject(error)),
        );
      });
    });
  }

  #isLost(untilMs: number): boolean {
    const { time, random, weather } = this.#options;
    return time.nowMs < untilMs || random() < weather().lossChance;
  }

  #delayMs(): number {
    const { random, weather } = this.#options;
    const { lateChance, usualDelayMs } = weather();
    return random() * (random() < lateChance ? longestDelayMs : usualDelayMs);
  }
}
