import type { Clock } from '@flotilla/runtime';
import type {
  CompactOutcome,
  LeaseGrant,
  LeaseId,
  RangeRequest,
  RangeResult,
  Revision,
  Store,
  Transaction,
  TransactionResult,
  Watch,
  WatchListener,
  WatchRequest,
} from './store.js';
import type { StoreHealth } from './store-health.js';

/** `get` reads single keys, `get_all` ranges, `set` may write. */
export type StoreOperationKind = 'get' | 'get_all' | 'set';

/** Told of each read and write when it has ended. A transaction that was refused by its compares has not failed. Must not throw. */
export type StoreObserver = (
  kind: StoreOperationKind,
  operation: { readonly durationMs: number; readonly isFailed: boolean },
) => void;

export interface ObserveStoreOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly observer: StoreObserver;
}

/** The same store, with somebody who counts and times what is read and written. */
export function observeStore(options: ObserveStoreOptions): Store {
  return new ObservedStore(options);
}

class ObservedStore implements Store {
  readonly #options: ObserveStoreOptions;
  readonly #store: Store;

  constructor(options: ObserveStoreOptions) {
    this.#options = options;
    this.#store = options.store;
  }

  range(request: RangeRequest): Promise<RangeResult> {
    return this.#timed(request.to === undefined ? 'get' : 'get_all', () => this.#store.range(request));
  }

  transact(transaction: Transaction): Promise<TransactionResult> {
    return this.#timed(kindOf(transaction), () => this.#store.transact(transaction));
  }

  watch(request: WatchRequest, listener: WatchListener): Watch {
    return this.#store.watch(request, listener);
  }

  grantLease(ttlSeconds: number): Promise<LeaseGrant> {
    return this.#store.grantLease(ttlSeconds);
  }

  keepLeaseAlive(id: LeaseId): Promise<LeaseGrant | undefined> {
    return this.#store.keepLeaseAlive(id);
  }

  revokeLease(id: LeaseId): Promise<void> {
    return this.#store.revokeLease(id);
  }

  compact(revision: Revision): Promise<CompactOutcome> {
    return this.#store.compact(revision);
  }

  readHealth(): Promise<StoreHealth> {
    return this.#store.readHealth();
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async #timed<T>(kind: StoreOperationKind, call: () => Promise<T>): Promise<T> {
    const { clock, observer } = this.#options;
    const startedMs = clock.monotonicMs();
    let isFailed = true;
    try {
      const result = await call();
      isFailed = false;
      return result;
    } finally {
      observer(kind, { durationMs: clock.monotonicMs() - startedMs, isFailed });
    }
  }
}

function kindOf({ success, failure = [] }: Transaction): StoreOperationKind {
  const operations = [...success, ...failure];
  if (operations.some(({ kind }) => kind !== 'range')) return 'set';
  return operations.every((operation) => operation.kind === 'range' && operation.to === undefined) ? 'get' : 'get_all';
}
