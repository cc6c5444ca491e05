import { FleetError } from '@flotilla/errors';
import type { UnitName } from '@flotilla/unit';
import type { Leadership } from './election.js';
import { keys } from './keys.js';
import {
  type Compare,
  maxTransactionSize,
  type Operation,
  type Revision,
  type Store,
  StoreError,
  type TransactionResult,
} from './store.js';

/** How many transactions wait for their answers at once: enough to hide the round trip, few enough to let others in. */
const maxInFlight = 8;

/** What the leader writes about one unit, unit file or machine; it goes into one transaction, whole. */
export interface PlanWrite {
  /** The unit that it is about, which no other write of the same commit is about; none: it is about something else. */
  readonly unit: UnitName | undefined;
  /** Everything that the write relies on, except leadership. */
  readonly compares: readonly Compare[];
  readonly operations: readonly PlanOperation[];
}

export type PlanOperation =
  | { readonly kind: 'put'; readonly key: string; readonly value: Uint8Array }
  | { readonly kind: 'delete'; readonly key: string };

export interface CommitOptions {
  readonly store: Store;
  readonly leadership: Pick<Leadership, 'fence' | 'isFresh'>;
  /** Each within {@link maxTransactionSize}, with room for the fence; neighbours with compares in common save some. */
  readonly writes: readonly PlanWrite[];
  /** Begin no further transaction once it aborts. */
  readonly signal: AbortSignal;
  /** These are in the store, since `revision`. */
  readonly onCommitted: (writes: readonly PlanWrite[], revision: Revision) => void;
  /** Dropped: at `revision`, the store held something else than `failed`, which is not empty, says. */
  readonly onRefused: (write: PlanWrite, failed: readonly Compare[], revision: Revision) => void;
}

/**
 * - `done`: each write was committed or refused.
 * - `stopped`: the signal came first.
 * - `stale`: the leader's lease may be over; whether it is has yet to be seen.
 * - `fenced`: somebody else may lead; nothing more may be written.
 * - `uncertain`: the store did not answer; look at it again before writing anything.
 *
 * All but `done` weigh more than an error, which is not thrown then.
 */
export type CommitOutcome = 'done' | 'stopped' | 'stale' | 'fenced' | 'uncertain';

/**
 * Writes a plan in as few fenced transactions as the store's limits allow, several at a time. A transaction that is
 * refused names what it failed on: those writes are dropped and told, the rest is committed without them.
 *
 * @throws StoreError when the store can't be reached or turns a transaction down.
 * @throws FleetError `oversized-write` if a write fits no transaction, `inexplicable-refusal`. Whatever is thrown,
 *   nothing is in flight then.
 */
export async function commitPlan(options: CommitOptions): Promise<CommitOutcome> {
  const commit = new Commit(options);
  await Promise.all(Array.from({ length: maxInFlight }, () => commit.work()));
  if (commit.outcome === 'done' && commit.error !== undefined) throw commit.error;
  return commit.outcome;
}

class Commit {
  outcome: CommitOutcome = 'done';
  error: unknown;
  readonly #options: CommitOptions;
  readonly #queue: PlanWrite[];
  #next = 0;

  constructor(options: CommitOptions) {
    this.#options = options;
    this.#queue = [...options.writes];
  }

  async work(): Promise<void> {
    const { leadership, signal, store } = this.#options;
    while (this.outcome === 'done' && this.error === undefined && this.#next < this.#queue.length) {
      if (!leadership.isFresh()) this.outcome = 'stale';
      else if (signal.aborted) this.outcome = 'stopped';
      else {
        try {
          const batch = this.#takeBatch();
          this.#settle(batch, await store.transact(batch.transaction));
        } catch (error) {
          if (error instanceof StoreError && error.kind === 'uncertain') this.#end('uncertain');
          else this.error ??= error;
        }
      }
    }
  }

  #takeBatch(): Batch {
    const batch = new Batch(this.#options.leadership.fence);
    for (let write = this.#queue[this.#next]; write !== undefined; write = this.#queue[this.#next]) {
      if (!batch.tryAdd(write)) break;
      this.#next++;
    }
    if (batch.writes.length === 0)
      throw new FleetError('oversized-write', `too many writes about ${this.#queue[this.#next]?.unit}`);
    return batch;
  }

  #settle(batch: Batch, result: TransactionResult): void {
    const { leadership, onCommitted, onRefused } = this.#options;
    if (result.succeeded) {
      onCommitted(batch.writes, result.revision);
      return;
    }
    const failed = batch.failedCompares(result);
    if (failed.has(compareId(fenceCompare(leadership.fence)))) {
      this.#end('fenced');
      return;
    }
    if (failed.size === 0) throw new FleetError('inexplicable-refusal', `nothing failed at ${result.revision}`);
    for (const write of batch.writes) {
      const own = write.compares.filter((compare) => failed.has(compareId(compare)));
      if (own.length > 0) onRefused(write, own, result.revision);
      else this.#queue.push(write);
    }
  }

  /** Being fenced weighs more than not knowing: there is nothing left to find out. */
  #end(outcome: 'fenced' | 'uncertain'): void {
    if (this.outcome !== 'fenced') this.outcome = outcome;
  }
}

/** The writes of one transaction, with what they have in common compared once. */
class Batch {
  readonly writes: PlanWrite[] = [];
  readonly #compares = new Map<string, Compare>();
  #operations = 0;

  constructor(fence: Revision) {
    this.#add(fenceCompare(fence));
  }

  /** Adds a write unless it is too much for the transaction. */
  tryAdd(write: PlanWrite): boolean {
    const added = write.compares.filter((compare) => !this.#compares.has(compareId(compare)));
    const operations = this.#operations + write.operations.length;
    if (this.#compares.size + added.length > maxTransactionSize || operations > maxTransactionSize) return false;
    for (const compare of added) this.#add(compare);
    this.#operations = operations;
    this.writes.push(write);
    return true;
  }

  get transaction(): { compares: Compare[]; success: Operation[]; failure: Operation[] } {
    const compares = [...this.#compares.values()];
    return {
      compares,
      success: this.writes.flatMap(({ operations }) =>
        operations.map(
          (operation): Operation => (operation.kind === 'put' ? operation : { kind: 'delete', from: operation.key }),
        ),
      ),
      failure: compares.map(({ key }): Operation => ({ kind: 'range', from: key, keysOnly: true })),
    };
  }

  /** The compares that did not hold, by {@link compareId}, read off the answer to `failure`. */
  failedCompares({ ranges }: TransactionResult): Set<string> {
    const failed = new Set<string>();
    let index = 0;
    for (const [id, { on, equals }] of this.#compares) {
      const found = ranges[index++]?.kvs[0];
      const actual = on === 'create-revision' ? found?.createRevision : found?.modRevision;
      if ((actual ?? 0) !== equals) failed.add(id);
    }
    return failed;
  }

  #add(compare: Compare): void {
    this.#compares.set(compareId(compare), compare);
  }
}

function fenceCompare(fence: Revision): Compare {
  return { key: keys.leader, on: 'create-revision', equals: fence };
}

function compareId({ key, on, equals }: Compare): string {
  return `${on} ${equals} ${key}`;
}
