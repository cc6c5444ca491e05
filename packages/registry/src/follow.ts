import { type Clock, jittered, type Logger, promptBackoffMs, sleep } from '@flotilla/runtime';
import { retryIfCompacted } from './page.js';
import {
  type KeyValue,
  type Revision,
  type Store,
  StoreError,
  type Watch,
  type WatchBreak,
  type WatchEvent,
  type WatchRange,
  type WatchRequest,
} from './store.js';
import { findWitness } from './witness.js';

/** Keys per reply of a snapshot: large enough to be quick, small enough (10 k keys take 50 ms) to keep others served. */
const pageSize = 5_000;

const firstBackoffMs = 100;

/** What {@link follow} tells. Callbacks must not throw. */
export interface Follower {
  /** Everything in the ranges at one revision, in key order per range. Comes again after each break. */
  onSnapshot(kvs: readonly KeyValue[], revision: Revision): void;
  /** What changed since, gaplessly: a delete told here is a delete that happened. */
  onEvents(events: readonly WatchEvent[], revision: Revision): void;
  /** The thread is lost; a new snapshot follows as soon as there can be one. */
  onBroken?(reason: WatchBreak): void;
}

export interface FollowOptions {
  readonly store: Store;
  /** A range with `deletesOnly` is not listed, only watched. */
  readonly ranges: readonly WatchRange[];
  readonly follower: Follower;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface Following {
  /** Resolves with the first snapshot; never rejects. */
  readonly synced: Promise<void>;
  /** Reads everything again, now: nothing more is told of the watch so far. */
  refresh(): void;
  close(): void;
}

/** Lists ranges at one revision and watches them from there on; lists again whenever the watch can't go on. */
export function follow(options: FollowOptions): Following {
  const thread = new Thread(options);
  const synced = new Promise<void>((resolve) => {
    void thread.run(resolve);
  });
  return { synced, refresh: () => thread.refresh(), close: () => thread.close() };
}

class Thread {
  readonly #options: FollowOptions;
  readonly #closed = new AbortController();
  /** Ends the round that is under way: a snapshot, its watch, or the wait after a failure. */
  #round = new AbortController();

  constructor(options: FollowOptions) {
    this.#options = options;
  }

  refresh(): void {
    this.#round.abort();
  }

  close(): void {
    this.#closed.abort();
    this.#round.abort();
  }

  async run(onSynced: () => void): Promise<void> {
    const { clock, log } = this.#options;
    for (let failures = 0; !this.#closed.signal.aborted; ) {
      this.#round = new AbortController();
      const { signal } = this.#round;
      try {
        await this.#follow(signal, () => {
          failures = 0;
          onSynced();
        });
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        if (this.#closed.signal.aborted) return;
        const waitMs = Math.min(firstBackoffMs * 2 ** failures++, promptBackoffMs);
        const level = error.kind === 'compacted' || error.isReported ? 'debug' : 'warn';
        log[level]('snapshot failed; it is tried again', { failures, error });
        await sleep(clock, jittered(clock, waitMs), signal);
      }
    }
  }

  /** One snapshot and its watch, until that breaks or `signal` aborts. */
  async #follow(signal: AbortSignal, onSynced: () => void): Promise<void> {
    const { store, ranges, follower, log } = this.#options;
    const { kvs, revision } = await readSnapshot(store, ranges, { signal });
    if (signal.aborted) return;
    follower.onSnapshot(kvs, revision);
    onSynced();
    const witness = findWitness(kvs);
    const request = { ranges, fromRevision: revision + 1, ...(witness && { witness }) };
    const reason = await watchUntilBroken(this.#options, request, signal);
    if (reason === undefined) return;
    log.warn('watch broken; reading everything again', { reason });
    follower.onBroken?.(reason);
  }
}

/**
 * Everything in `ranges`, in key order per range, at one revision; `undefined` if that is more than `mostKeys`. Ranges with
 * `deletesOnly` are left out.
 */
export async function readRanges(
  store: Store,
  ranges: readonly WatchRange[],
  mostKeys: number,
): Promise<readonly KeyValue[] | undefined> {
  const { signal } = new AbortController();
  const { kvs } = await retryIfCompacted(() => readSnapshot(store, ranges, { signal, enough: mostKeys + 1 }));
  return kvs.length > mostKeys ? undefined : kvs;
}

interface SnapshotOptions {
  readonly signal: AbortSignal;
  /** Of more keys than this not all are read. @default no limit */
  readonly enough?: number;
}

async function readSnapshot(
  store: Store,
  ranges: readonly WatchRange[],
  { signal, enough = Number.POSITIVE_INFINITY }: SnapshotOptions,
): Promise<{ kvs: KeyValue[]; revision: Revision }> {
  const kvs: KeyValue[] = [];
  let revision: Revision | undefined;
  const isOver = () => signal.aborted || kvs.length >= enough;
  for (const range of ranges) {
    if (range.deletesOnly === true) continue;
    for (let from: string | undefined = range.from; from !== undefined && !isOver(); ) {
      const page = await store.range({
        from,
        ...(range.to === undefined ? {} : { to: range.to }),
        ...(revision === undefined ? {} : { revision }),
        limit: pageSize,
      });
      revision ??= page.revision;
      for (const kv of page.kvs) kvs.push(kv);
      const last = page.kvs.at(-1);
      from = page.hasMore && last !== undefined ? `${last.key}\0` : undefined;
    }
  }
  return { kvs, revision: revision ?? 0 };
}

/** Resolves with the reason when the watch breaks, or with `undefined` when it is closed. */
function watchUntilBroken(
  { store, follower }: FollowOptions,
  request: WatchRequest,
  signal: AbortSignal,
): Promise<WatchBreak | undefined> {
  return new Promise((resolve) => {
    let watch: Watch | undefined;
    const onAbort = () => {
      watch?.close();
      resolve(undefined);
    };
    watch = store.watch(request, {
      onEvents(events, revision) {
        if (!signal.aborted) follower.onEvents(events, revision);
      },
      onBroken(reason) {
        signal.removeEventListener('abort', onAbort);
        resolve(reason);
      },
    });
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
  });
}
