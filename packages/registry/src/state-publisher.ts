import type { MachineId } from '@flotilla/cluster';
import { FleetError } from '@flotilla/errors';
import { type Clock, type Logger, promptBackoffMs, ReconcileLoop } from '@flotilla/runtime';
import type { UnitName } from '@flotilla/unit';
import { keys } from './keys.js';
import { decodeRecord, type StateRecord } from './records.js';
import { type FoundRow, type RowWrite, StateRows, type UnitRow } from './state-rows.js';
import {
  type Compare,
  type KeyValue,
  type LeaseId,
  maxTransactionSize,
  type Operation,
  type Store,
  StoreError,
} from './store.js';

export interface StatePublisherOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly machine: MachineId;
  /** The machine's lease, which the rows hang on; nothing is written without one. */
  readonly lease: () => { readonly id: LeaseId; isFresh(): boolean } | undefined;
}

/**
 * Keeps this machine's rows `states/<name>/<machine>` as they should be: writes on change only, in full transactions, one
 * at a time, and everything anew on another lease. Touches no other machine's rows.
 */
export class StatePublisher {
  readonly #options: StatePublisherOptions;
  readonly #loop: ReconcileLoop;
  readonly #rows = new StateRows();
  #doubts = 0;
  /** On which lease, and after how many doubts, the rows in the store were read. */
  #read = '';

  constructor(options: StatePublisherOptions) {
    this.#options = options;
    const { clock, log } = options;
    this.#loop = new ReconcileLoop({
      name: 'state-publisher',
      body: () => this.#write(),
      clock,
      log,
      longestBackoffMs: promptBackoffMs,
    });
  }

  start(): void {
    this.#loop.start();
  }

  /** Ends without writing what is still to be written. */
  async close(): Promise<void> {
    await this.#loop.close();
  }

  /** Looks at the lease again. */
  wake(): void {
    this.#loop.wake();
  }

  /** What was written may be gone, or be as it once was: it is read again. */
  doubt(): void {
    this.#doubts++;
    this.#loop.wake();
  }

  /** These are all rows that there should be. A row that was published and is not among them is deleted. */
  publish(rows: ReadonlyMap<UnitName, UnitRow>): void {
    this.#rows.want(rows, this.#options.clock.now());
    this.#loop.wake();
  }

  /** Deletes a row that an earlier process may have left. */
  discard(name: UnitName): void {
    this.#rows.discard(name);
    this.#loop.wake();
  }

  /**
   * Deletes the row of a unit that was told to leave, exactly once. The deletion is what the leader waits for, so if
   * there is no row, `row` is put first.
   */
  acknowledge(name: UnitName, row: UnitRow): void {
    this.#rows.bidFarewell(name, row, this.#options.clock.now());
    this.#loop.wake();
  }

  /** Whether no row of the unit is left to be deleted. */
  isSettled(name: UnitName): boolean {
    return this.#rows.isSettled(name);
  }

  /** Of the rows that there should be, those that are not known to be in the store. */
  get unwritten(): ReadonlyMap<UnitName, UnitRow> {
    return this.#rows.unwritten;
  }

  async #write(): Promise<void> {
    const { store, lease: findLease } = this.#options;
    const lease = findLease();
    // Without a name there is nothing to write, and nothing by which to find what an earlier process has written.
    if (lease?.isFresh() !== true || this.#rows.names.length === 0) return;
    const wanted = `${lease.id} ${this.#doubts}`;
    if (wanted !== this.#read) {
      this.#rows.reset(await this.#readOwn(lease.id), lease.id);
      this.#read = wanted;
    }
    for (;;) {
      const writes = this.#rows.pending(maxTransactionSize);
      if (writes.length === 0 || findLease()?.id !== lease.id) return;
      try {
        // A write whose answer was lost may come late, and would else undo what was written since.
        const { succeeded, revision } = await store.transact({
          compares: writes.map(({ name }) => this.#compare(name)),
          success: writes.map((write) => this.#operation(write, lease.id)),
        });
        if (!succeeded) return this.doubt();
        this.#rows.done(writes, revision);
      } catch (error) {
        if (error instanceof StoreError && error.kind === 'uncertain') {
          this.#rows.doubt(writes, lease.id);
          this.#doubts++;
        }
        throw error;
      }
    }
  }

  /** This machine's rows as they are; those on another lease are to be put again. */
  async #readOwn(lease: LeaseId): Promise<Map<UnitName, FoundRow>> {
    const { store, machine } = this.#options;
    const names = this.#rows.names;
    const found = new Map<UnitName, FoundRow>();
    for (let start = 0; start < names.length; start += maxTransactionSize) {
      const part = names.slice(start, start + maxTransactionSize);
      const { ranges } = await store.transact({
        success: part.map((name) => ({ kind: 'range', from: keys.state(name, machine) })),
      });
      for (const [index, name] of part.entries()) {
        const kv = ranges[index]?.kvs[0];
        if (kv === undefined) continue;
        found.set(name, { revision: kv.modRevision, record: kv.lease === lease ? this.#findRow(kv) : undefined });
      }
    }
    return found;
  }

  /** A row that can't be read is as good as none: it is put again. */
  #findRow({ key, value }: KeyValue): StateRecord | undefined {
    try {
      return decodeRecord<StateRecord>(key, value);
    } catch (error) {
      if (!(error instanceof FleetError)) throw error;
      this.#options.log.warn('a state row can not be read; it is replaced', { key, error });
      return undefined;
    }
  }

  #compare(name: UnitName): Compare {
    return { key: keys.state(name, this.#options.machine), on: 'mod-revision', equals: this.#rows.revisionOf(name) };
  }

  #operation(write: RowWrite, lease: LeaseId): Operation {
    const key = keys.state(write.name, this.#options.machine);
    if (write.kind === 'delete') return { kind: 'delete', from: key };
    return { kind: 'put', key, value: encoder.encode(write.text), lease };
  }
}

const encoder = new TextEncoder();
