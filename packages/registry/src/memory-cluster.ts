import type { Clock } from '@flotilla/runtime';
import { checkTransaction } from './check-transaction.js';
import { MemoryHistory } from './memory-history.js';
import { MemoryLeases } from './memory-leases.js';
import {
  type Compare,
  type LeaseId,
  type Operation,
  type RangeResult,
  type Revision,
  StoreError,
  type Transaction,
  type TransactionResult,
} from './store.js';
import { refusalText, type StoreRefusal } from './store-health.js';

/** What a client does when the store has changed: tell its watches' listeners soon, or now. */
export interface MemoryClient {
  wakeWatches(): void;
  pumpWatches(): void;
}

/** What the clients of one memory store share: the keys, the leases, and who wants to hear of a change. */
export class MemoryCluster {
  readonly leases: MemoryLeases;
  readonly clients = new Set<MemoryClient>();
  /** Alarms that are raised: while there are any, nothing new is stored. */
  readonly raised = new Set<StoreRefusal>();
  #history = new MemoryHistory();
  #id = 1;
  readonly #keysByLease = new Map<LeaseId, Set<string>>();

  constructor(clock: Clock) {
    this.leases = new MemoryLeases(clock, (id) => this.#endLease(id));
  }

  get id(): number {
    return this.#id;
  }

  get history(): MemoryHistory {
    return this.#history;
  }

  transact(transaction: Transaction): TransactionResult {
    checkTransaction(transaction);
    const { success, failure = [] } = transaction;
    // etcd looks at both branches, before it knows which one is to be done.
    this.checkAlarms([...success, ...failure].map(({ kind }) => kind));
    const succeeded = (transaction.compares ?? []).every((compare) => this.#holds(compare));
    const branch = succeeded ? transaction.success : (transaction.failure ?? []);
    this.#checkBranch(branch);
    const ranges: RangeResult[] = [];
    for (const operation of branch) {
      const answer = this.#carryOut(operation);
      if (answer !== undefined) ranges.push(answer);
    }
    this.#commit();
    return { succeeded, revision: this.#history.revision, ranges };
  }

  /** Refuses what etcd refuses while an alarm is raised: what takes space, or any change of data that may be wrong. */
  checkAlarms(kinds: readonly (Operation['kind'] | 'grant')[]): void {
    const takesSpace = kinds.some((kind) => kind === 'put' || kind === 'grant');
    const changes = takesSpace || kinds.includes('delete');
    if (this.raised.has('corrupt') && changes)
      throw new StoreError('refused', refusalText('corrupt'), { refusal: 'corrupt' });
    if (this.raised.has('no-space') && takesSpace)
      throw new StoreError('refused', refusalText('no-space'), { refusal: 'no-space' });
  }

  /** Forgets the history before `revision`; watches that are connected have seen it all by then, as etcd's have. */
  compact(revision: Revision): void {
    for (const client of this.clients) client.pumpWatches();
    this.#history.compact(revision);
  }

  /** Puts other contents in the place of these: none, or those of `revision`. A new identity makes it another cluster. */
  replace(by: { readonly revision?: Revision; readonly isForeign?: boolean }): void {
    this.#history = by.revision === undefined ? new MemoryHistory() : this.#history.restored(by.revision);
    if (by.isForeign === true) this.#id++;
    this.#keysByLease.clear();
    for (const { key, lease } of this.#history.range({ from: '\0', to: '\uffff' }).kvs) this.#attach(key, lease);
    this.leases.reset(new Set(this.#keysByLease.keys()));
    for (const client of this.clients) client.wakeWatches();
  }

  #holds({ key, to, on, equals }: Compare): boolean {
    const { kvs } = this.#history.range({ from: key, ...(to === undefined ? {} : { to }) });
    if (kvs.length === 0) return equals === 0;
    return kvs.every((kv) => equals === (on === 'create-revision' ? kv.createRevision : kv.modRevision));
  }

  /** Nothing of a branch is done if one of its operations can't be. */
  #checkBranch(branch: readonly Operation[]): void {
    for (const operation of branch) {
      if (operation.kind === 'range' && operation.revision !== undefined)
        this.#history.checkReadable(operation.revision);
      if (operation.kind === 'put' && operation.lease !== undefined && !this.leases.has(operation.lease))
        throw new StoreError('no-lease', `lease ${operation.lease} does not exist`);
    }
  }

  #carryOut(operation: Operation): RangeResult | undefined {
    switch (operation.kind) {
      case 'range':
        return this.#history.range(operation);
      case 'put': {
        const { key, value, lease } = operation;
        this.#detach(key, this.#history.find(key)?.lease);
        this.#history.put({ key, value, lease });
        this.#attach(key, lease);
        return undefined;
      }
      case 'delete':
        for (const gone of this.#history.delete(operation)) this.#detach(gone.key, gone.lease);
        return undefined;
    }
  }

  #endLease(id: LeaseId): void {
    const keys = [...(this.#keysByLease.get(id) ?? [])].sort();
    this.#keysByLease.delete(id);
    for (const key of keys) this.#history.delete({ from: key });
    this.#commit();
  }

  #commit(): void {
    this.#history.commit();
    for (const client of this.clients) client.wakeWatches();
  }

  #attach(key: string, lease: LeaseId | undefined): void {
    if (lease === undefined) return;
    const keys = this.#keysByLease.get(lease) ?? new Set();
    this.#keysByLease.set(lease, keys.add(key));
  }

  #detach(key: string, lease: LeaseId | undefined): void {
    if (lease !== undefined) this.#keysByLease.get(lease)?.delete(key);
  }
}
