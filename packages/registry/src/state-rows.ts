import type { UnitName } from '@flotilla/unit';
import type { StateRecord } from './records.js';
import type { LeaseId, Revision } from './store.js';

/** A state row as the agent knows it; since when it is so is added by the publisher. */
export type UnitRow = Omit<StateRecord, 'since'>;

/** A row that is to be seen deleted, and what has to be written for it next. */
interface Farewell {
  next: 'put' | 'delete';
  /** A delete on this lease was not answered. A row that went with its lease was not seen deleted. */
  maybeDoneOn?: LeaseId;
  readonly row: StateRecord;
}

/** A write of one row that is still to be made. `text` is the stored form. */
export type RowWrite =
  | { readonly kind: 'put'; readonly name: UnitName; readonly text: string }
  | { readonly kind: 'delete'; readonly name: UnitName; readonly farewell?: object };

/** A row as it was found in the store. */
export interface FoundRow {
  readonly revision: Revision;
  /** `undefined`: it is to be put again, whatever it says. */
  readonly record: StateRecord | undefined;
}

/**
 * A machine's own state rows: what they should be, and what is known to be in the store. Says what to write; does no
 * I/O itself.
 */
export class StateRows {
  readonly #wanted = new Map<UnitName, StateRecord>();
  readonly #stored = new Map<UnitName, string>();
  readonly #revisions = new Map<UnitName, Revision>();
  /** Rows of writes that were not answered: each is put again, so that one that comes late finds another revision. */
  readonly #uncertain = new Set<UnitName>();
  /** Rows that may be in the store and should not. */
  readonly #unwanted = new Set<UnitName>();
  readonly #farewells = new Map<UnitName, Farewell>();
  /** Of the wanted rows, those that may not be in the store as they are wanted: of many, few change at a time. */
  readonly #changed = new Set<UnitName>();

  /** The names that any write could be about. */
  get names(): UnitName[] {
    return [...new Set([...this.#wanted.keys(), ...this.#unwanted, ...this.#farewells.keys()])];
  }

  /** Replaces all wanted rows. A row that is no longer wanted is deleted. */
  want(rows: ReadonlyMap<UnitName, UnitRow>, nowMs: number): void {
    for (const name of [...this.#wanted.keys()]) if (!rows.has(name)) this.discard(name);
    for (const [name, row] of rows) {
      const before = this.#wanted.get(name);
      if (before === undefined || !isSame(before, row)) {
        this.#wanted.set(name, { ...row, since: before?.active === row.active ? before.since : nowMs });
        this.#changed.add(name);
      }
      this.#unwanted.delete(name);
      this.#farewells.delete(name);
    }
  }

  /** Deletes a row, also one that only an earlier process knew of. */
  discard(name: UnitName): void {
    this.#wanted.delete(name);
    if (!this.#farewells.has(name)) this.#unwanted.add(name);
  }

  /** Deletes a row so that it is seen: if it is not there, `row` is put first. */
  bidFarewell(name: UnitName, row: UnitRow, nowMs: number): void {
    this.#wanted.delete(name);
    this.#unwanted.delete(name);
    const next = this.#stored.has(name) ? 'delete' : 'put';
    this.#farewells.set(name, { next, row: { ...row, since: nowMs } });
  }

  /** Whether no row of the unit is left to be deleted. */
  isSettled(name: UnitName): boolean {
    return !this.#unwanted.has(name) && !this.#farewells.has(name);
  }

  /** Of the store only this is known: `rows` are there. Their units have been as they are since then. */
  reset(rows: ReadonlyMap<UnitName, FoundRow>, lease: LeaseId): void {
    this.#stored.clear();
    this.#revisions.clear();
    for (const [name, { revision, record }] of rows) {
      this.#revisions.set(name, revision);
      if (record === undefined) continue;
      if (!this.#uncertain.has(name)) this.#stored.set(name, storedForm(record));
      const wanted = this.#wanted.get(name);
      if (wanted?.active === record.active) this.#wanted.set(name, { ...wanted, since: record.since });
    }
    for (const name of this.#wanted.keys()) this.#changed.add(name);
    for (const [name, farewell] of this.#farewells) {
      farewell.next = this.#stored.has(name) ? 'delete' : 'put';
      if (farewell.maybeDoneOn === lease && !rows.has(name)) this.#farewells.delete(name);
    }
  }

  /** These may have been written, on this lease; before any other write what there is has to be read. */
  doubt(writes: readonly RowWrite[], lease: LeaseId): void {
    for (const write of writes) {
      this.#uncertain.add(write.name);
      const farewell = this.#farewells.get(write.name);
      if (write.kind === 'delete' && farewell === write.farewell && farewell) farewell.maybeDoneOn = lease;
    }
  }

  /** The wanted rows that are not in the store as they are wanted, as far as is known. */
  get unwritten(): ReadonlyMap<UnitName, UnitRow> {
    const rows = [...this.#wanted].filter(([name, row]) => this.#stored.get(name) !== storedForm(row));
    return new Map(rows);
  }

  /** Mod revision of a row in the store, as far as is known; 0 if it is not there. */
  revisionOf(name: UnitName): Revision {
    return this.#revisions.get(name) ?? 0;
  }

  /** What to write next, at most `limit` of it, no row twice: changed rows first. */
  pending(limit: number): RowWrite[] {
    const writes: RowWrite[] = [];
    for (const name of this.#changed) {
      const row = this.#wanted.get(name);
      const text = row && storedForm(row);
      if (text === undefined || this.#stored.get(name) === text) this.#changed.delete(name);
      else writes.push({ kind: 'put', name, text });
      if (writes.length >= limit) return writes;
    }
    for (const [name, farewell] of this.#farewells) {
      if (farewell.next === 'delete') writes.push({ kind: 'delete', name, farewell });
      else writes.push({ kind: 'put', name, text: storedForm(farewell.row) });
      if (writes.length >= limit) return writes;
    }
    for (const name of this.#unwanted) {
      writes.push({ kind: 'delete', name });
      if (writes.length >= limit) return writes;
    }
    return writes;
  }

  /** These are in the store since `revision`. */
  done(writes: readonly RowWrite[], revision: Revision): void {
    for (const write of writes) {
      this.#uncertain.delete(write.name);
      const farewell = this.#farewells.get(write.name);
      if (write.kind === 'put') {
        this.#stored.set(write.name, write.text);
        this.#revisions.set(write.name, revision);
        if (farewell !== undefined) farewell.next = 'delete';
        continue;
      }
      this.#stored.delete(write.name);
      this.#revisions.delete(write.name);
      this.#unwanted.delete(write.name);
      if (farewell === undefined) continue;
      // A farewell that was asked for while this delete was on its way needs a delete of its own.
      if (farewell === write.farewell) this.#farewells.delete(write.name);
      else farewell.next = 'put';
    }
  }
}

/** One order of fields, so that equal rows are equal texts. */
const storedFields = [
  'load',
  'active',
  'sub',
  'hash',
  'uid',
  'order',
  'isLaunched',
  'since',
  'error',
  'waitsFor',
] as const;

function storedForm(row: StateRecord): string {
  return JSON.stringify(row, [...storedFields]);
}

/** Whether a row says what is known already. */
function isSame(known: StateRecord, row: UnitRow): boolean {
  return storedFields.every((field) => field === 'since' || known[field] === row[field]);
}
