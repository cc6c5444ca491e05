import type { Clock } from '@flotilla/runtime';
import { type MemoryClient, MemoryCluster } from './memory-cluster.js';
import { MemoryWatch } from './memory-watch.js';
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
import type { AnsweringMember, StoreHealth, StoreRefusal } from './store-health.js';

/** The one member of a store in memory, when it is well. */
const healthyMember: AnsweringMember = {
  kind: 'answering',
  address: 'memory',
  id: '1',
  version: '',
  hasLeader: true,
  sizeBytes: 0,
  inUseBytes: 0,
  quotaBytes: undefined,
  raised: [],
};

/**
 * A small etcd in memory, with the levers that tests pull. Each instance is one client with a connection of its own;
 * {@link client} makes another one of the same store. Calls take effect at once and answer on a later turn; leases run
 * on the given clock. Keys are ordered as JavaScript orders strings, which is etcd's order for ASCII.
 */
export class MemoryStore implements Store {
  readonly #cluster: MemoryCluster;
  readonly #watches = new Set<MemoryWatch>();
  readonly #self: MemoryClient = {
    wakeWatches: () => {
      for (const watch of this.#watches) watch.wake();
    },
    pumpWatches: () => {
      for (const watch of this.#watches) watch.pump();
    },
  };
  #isCut = false;
  #areWatchesStuck = false;
  #isClosed = false;
  #loses: 'reply' | 'request' | undefined;
  /** What a look finds, besides the alarms that are raised. */
  health: { readonly member?: Partial<AnsweringMember>; readonly commitMs?: number } = {};
  /** How often the store's health was looked at through this client. */
  looks = 0;

  constructor(shared: { readonly clock: Clock } | { readonly cluster: MemoryCluster }) {
    this.#cluster = 'cluster' in shared ? shared.cluster : new MemoryCluster(shared.clock);
    this.#cluster.clients.add(this.#self);
  }

  /** Another client of the same store, connected, with levers of its own. */
  client(): MemoryStore {
    return new MemoryStore({ cluster: this.#cluster });
  }

  /** The store's newest revision. */
  get revision(): Revision {
    return this.#cluster.history.revision;
  }

  async range(request: RangeRequest): Promise<RangeResult> {
    this.#connect();
    return this.#cluster.history.range(request);
  }

  async transact(transaction: Transaction): Promise<TransactionResult> {
    this.#connect();
    const loses = this.#loses;
    this.#loses = undefined;
    if (loses === 'request') throw new StoreError('uncertain', 'the request was lost');
    const result = this.#cluster.transact(transaction);
    if (loses === 'reply') throw new StoreError('uncertain', 'the reply was lost');
    return result;
  }

  watch(request: WatchRequest, listener: WatchListener): Watch {
    const watch = new MemoryWatch({
      request,
      listener,
      cluster: () => this.#cluster,
      isConnected: () => !this.#isCut && !this.#areWatchesStuck && !this.#isClosed,
      onClosed: (closed) => this.#watches.delete(closed),
    });
    this.#watches.add(watch);
    return watch;
  }

  async grantLease(ttlSeconds: number): Promise<LeaseGrant> {
    this.#connect();
    this.#cluster.checkAlarms(['grant']);
    return this.#cluster.leases.grant(ttlSeconds);
  }

  async keepLeaseAlive(id: LeaseId): Promise<LeaseGrant | undefined> {
    this.#connect();
    return this.#cluster.leases.renew(id);
  }

  async revokeLease(id: LeaseId): Promise<void> {
    this.#connect();
    this.#cluster.leases.revoke(id);
  }

  async compact(revision: Revision): Promise<CompactOutcome> {
    this.#connect();
    if (revision <= this.#cluster.history.compactedAt) return 'gone';
    this.#cluster.compact(revision);
    return 'compacted';
  }

  async readHealth(): Promise<StoreHealth> {
    if (this.#isClosed) throw new StoreError('unavailable', 'the store is closed');
    this.looks++;
    const { address, id } = healthyMember;
    if (this.#isCut) return { members: [{ kind: 'silent', address, why: 'cut off' }], commitMs: undefined };
    const raised = [...this.#cluster.raised].map((kind) => ({ kind, member: id }));
    return { members: [{ ...healthyMember, raised, ...this.health.member }], commitMs: this.health.commitMs ?? 0 };
  }

  /** When the last client is closed, the leases' timers are gone too. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const watch of this.#watches) watch.close();
    this.#cluster.clients.delete(this.#self);
    if (this.#cluster.clients.size === 0) this.#cluster.leases.clear();
  }

  /** Cuts this client off: calls reject as `unavailable`, watches pause. Leases go on running out. */
  cut(): void {
    this.#isCut = true;
  }

  /** Ends {@link cut}: watches go on where they were, or break if they can't. */
  heal(): void {
    this.#isCut = false;
    this.#self.wakeWatches();
  }

  /** From now on nothing is told on any watch, as if on a connection that has fallen silent; calls go through. */
  stickWatches(): void {
    this.#areWatchesStuck = true;
  }

  /** Ends {@link stickWatches}. */
  freeWatches(): void {
    this.#areWatchesStuck = false;
    this.#self.wakeWatches();
  }

  /** This client's next transaction takes effect and then rejects as `uncertain`. */
  loseNextReply(): void {
    this.#loses = 'reply';
  }

  /** This client's next transaction rejects as `uncertain` and takes no effect. */
  loseNextRequest(): void {
    this.#loses = 'request';
  }

  /** Raises an alarm: from now on the store refuses what etcd would refuse. */
  raise(alarm: StoreRefusal): void {
    this.#cluster.raised.add(alarm);
  }

  /** Ends all alarms. */
  disarm(): void {
    this.#cluster.raised.clear();
  }

  /** Empties the store, as when a cluster is set up anew under its old name: watches break as `went-back`. */
  wipe(): void {
    this.#cluster.replace({});
  }

  /** Brings back the keys of an older revision, and their leases: watches break as `went-back`. */
  restore(revision: Revision): void {
    this.#cluster.replace({ revision });
  }

  /** Puts another, empty cluster in this one's place: watches break as `foreign`. */
  swap(): void {
    this.#cluster.replace({ isForeign: true });
  }

  #connect(): void {
    if (this.#isClosed) throw new StoreError('unavailable', 'the store is closed');
    if (this.#isCut) throw new StoreError('unavailable', 'the store cannot be reached');
  }
}
