import { type Clock, type Logger, promptBackoffMs, ReconcileLoop } from '@flotilla/runtime';
import { type Following, follow } from './follow.js';
import { keys } from './keys.js';
import { type HeldLease, holdLease } from './lease.js';
import { decodeRecord, encodeRecord, type LeaderRecord } from './records.js';
import { type KeyValue, type LeaseId, type Revision, type Store, StoreError } from './store.js';

export interface ElectionOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  /** Who campaigns. */
  readonly record: LeaderRecord;
  readonly ttlSeconds: number;
  /** Called when this engine has become the leader. */
  readonly onElected: (leadership: Leadership) => void;
  /** Called with each leader that is seen, this one included; `undefined` when there is none. */
  readonly onLeader?: (leader: LeaderRecord | undefined) => void;
}

/** The right to act as the leader, for as long as the fence holds. */
export interface Leadership {
  /** Create revision of the leader key. Each of the leader's transactions compares it. */
  readonly fence: Revision;
  /** Whether the leader's lease surely still exists; ask before each transaction. */
  isFresh(): boolean;
  /** Aborts when leadership is over, for whatever reason. */
  readonly ended: AbortSignal;
}

/** The longest wait before a campaign, so that not every engine of the cluster answers a leader's end in one instant. */
const campaignJitterMs = 100;

/**
 * Elects one engine: the one whose transaction creates the leader key, which lives on that engine's lease. The key is
 * deleted by the store when the lease ends, or by its owner when it resigns; the others see that and campaign.
 * Nobody is told anything that is not in the store: no phantom leader, no queue of waiting candidates.
 */
export class Election {
  readonly #options: ElectionOptions;
  readonly #campaign: ReconcileLoop;
  #following: Following | undefined;
  #leaderKey: KeyValue | undefined;
  #isKnown = false;
  #lease: HeldLease | undefined;
  /** The last one that ran into its fence: the store may go on having it. */
  #formerLease: LeaseId | undefined;
  #term: { readonly fence: Revision; readonly ended: AbortController } | undefined;

  constructor(options: ElectionOptions) {
    this.#options = options;
    this.#campaign = new ReconcileLoop({
      name: 'election',
      body: () => this.#run(),
      clock: options.clock,
      log: options.log,
      gatherMs: options.clock.random() * campaignJitterMs,
      intervalMs: options.ttlSeconds * 1000,
      longestBackoffMs: promptBackoffMs,
    });
  }

  /** Begins to campaign. */
  start(): void {
    const { store, clock, log } = this.#options;
    this.#following = follow({
      store,
      ranges: [{ from: keys.leader }],
      clock,
      log,
      follower: {
        onSnapshot: (kvs, revision) => this.#see(kvs[0], revision),
        onEvents: (events) => {
          const last = events.at(-1);
          if (last?.kind === 'put') this.#see(last.kv, last.kv.modRevision);
          else if (last?.kind === 'delete') this.#see(undefined, last.modRevision);
        },
      },
    });
    this.#campaign.start();
  }

  /** Ends the campaign and, with it, leadership. `resign` makes room for a successor at once. */
  async close({ resign }: { readonly resign: boolean }): Promise<void> {
    this.#following?.close();
    await this.#campaign.close();
    this.#endTerm();
    const lease = this.#lease;
    this.#lease = undefined;
    if (!resign) lease?.abandon();
    else if (lease !== undefined) await this.#release(lease);
  }

  /** Gives a lease back. If the store can't be reached the lease ends by itself. */
  async #release(lease: HeldLease): Promise<void> {
    try {
      await lease.release();
    } catch (error) {
      this.#options.log.debug('lease not released', { lease: lease.id, error });
    }
  }

  /** Takes note of the leader key as it was at `revision`; an older look than the term's own says nothing of it. */
  #see(leaderKey: KeyValue | undefined, revision: Revision): void {
    this.#leaderKey = leaderKey;
    this.#isKnown = true;
    const term = this.#term;
    if (term !== undefined && revision >= term.fence && leaderKey?.createRevision !== term.fence) this.#endTerm();
    this.#options.onLeader?.(leaderKey === undefined ? undefined : this.#decode(leaderKey));
    if (leaderKey === undefined) this.#campaign.wake();
  }

  #decode({ key, value }: KeyValue): LeaderRecord | undefined {
    try {
      return decodeRecord<LeaderRecord>(key, value);
    } catch (error) {
      this.#options.log.error('unreadable leader record', { key, error });
      return undefined;
    }
  }

  async #run(): Promise<void> {
    if (!this.#isKnown || this.#term !== undefined) return;
    if (this.#leaderKey !== undefined && this.#leaderKey.lease !== this.#lease?.id) return await this.#makeRoom();
    const lease = await this.#freshLease();
    const { store, record } = this.#options;
    const put = { kind: 'put', key: keys.leader, value: encodeRecord(record), lease: lease.id } as const;
    const look = { kind: 'range', from: keys.leader } as const;
    let result: Awaited<ReturnType<Store['transact']>>;
    try {
      result = await store.transact({
        compares: [{ key: keys.leader, on: 'create-revision', equals: 0 }],
        success: [put, look],
        failure: [look],
      });
    } catch (error) {
      // The lease may be gone although no keepalive has told so yet; the next campaign gets a new one.
      if (error instanceof StoreError && error.kind === 'no-lease') this.#dropLease(lease);
      throw error;
    }
    const leaderKey = result.ranges[0]?.kvs[0];
    // A campaign whose answer was lost is found won here: the key is there and hangs on this engine's own lease.
    if (leaderKey?.lease === lease.id) {
      if (lease.isFresh()) this.#beginTerm(leaderKey.createRevision, lease);
      return;
    }
    this.#lease = undefined;
    await this.#release(lease);
  }

  /** Nobody leads by a lease that this engine has given up, but a store that was down for long lets it live once more. */
  async #makeRoom(): Promise<void> {
    const lease = this.#formerLease;
    if (lease !== undefined && this.#leaderKey?.lease === lease) await this.#options.store.revokeLease(lease);
    if (this.#formerLease === lease) this.#formerLease = undefined;
  }

  async #freshLease(): Promise<HeldLease> {
    if (this.#lease?.isFresh() === true) return this.#lease;
    const { store, clock, log, ttlSeconds } = this.#options;
    this.#lease?.abandon();
    const lease = await holdLease({ store, clock, log, ttlSeconds });
    this.#lease = lease;
    lease.lost.addEventListener('abort', () => this.#dropLease(lease));
    return lease;
  }

  #dropLease(lease: HeldLease): void {
    if (this.#lease !== lease) return;
    lease.abandon();
    this.#lease = undefined;
    this.#formerLease = lease.id;
    this.#endTerm();
    this.#campaign.wake();
  }

  #beginTerm(fence: Revision, lease: HeldLease): void {
    const ended = new AbortController();
    this.#term = { fence, ended };
    this.#options.onElected({
      fence,
      ended: ended.signal,
      isFresh: () => !ended.signal.aborted && lease.isFresh(),
    });
  }

  #endTerm(): void {
    const term = this.#term;
    this.#term = undefined;
    term?.ended.abort();
  }
}
