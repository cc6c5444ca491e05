import type { UnitName } from '@flotilla/unit';
import { keys } from './keys.js';
import { encodeRecord, type UnitRecord } from './records.js';
import { type Compare, maxTransactionSize, type Operation } from './store.js';
import type { Before } from './unit-before.js';
import type { UnitChangeDecision } from './unit-change.js';

export type WriteDecision = Extract<UnitChangeDecision, { kind: 'write' }>;

/** What is written about one unit, and what it relies on. Goes into one transaction, whole. */
export interface UnitWrite {
  readonly compare: Compare;
  /** No two on one key. */
  readonly operations: readonly WriteOperation[];
}

type WriteOperation = Exclude<Operation, { kind: 'range' }>;

/**
 * Bytes of values in a transaction. etcd takes 1.5 MiB in a request by default (`--max-request-bytes`); the largest
 * unit file has to fit in, and the keys, which are named up to four times a unit, beside it.
 */
const mostBytes = 1.25 * 1024 * 1024;

/** What a decision about a unit writes. */
export function toUnitWrite(
  name: UnitName,
  { before, decision }: { readonly before: Before | undefined; readonly decision: WriteDecision },
): UnitWrite {
  const { record, file } = decision;
  const key = keys.unit(name);
  const operations: WriteOperation[] = [{ kind: 'put', key, value: encodeRecord(record) }];
  // Put again although it may be there: the leader deletes a file only at the revision at which nobody used it.
  if (file !== undefined) operations.push({ kind: 'put', key: keys.unitFile(record.file), value: file });
  if (record.isGlobal) {
    // On creation the copy's own create revision is the unit's.
    const copy: UnitRecord = before === undefined ? record : { ...record, uid: before.uid };
    operations.push({ kind: 'put', key: keys.global(name), value: encodeRecord(copy) });
  } else if (before?.record.isGlobal === true) operations.push({ kind: 'delete', from: keys.global(name) });
  return { compare: { key, on: 'mod-revision', equals: before?.modRevision ?? 0 }, operations };
}

/** The writes of one transaction. What several of them put, a unit file in common, is put once. */
export class WriteBatch<W extends { readonly write: UnitWrite }> {
  readonly writes: W[] = [];
  readonly #operations = new Map<string, WriteOperation>();
  #bytes = 0;

  get compares(): readonly Compare[] {
    return this.writes.map(({ write }) => write.compare);
  }

  get operations(): readonly Operation[] {
    return [...this.#operations.values()];
  }

  /** Adds a write unless it is too much for the transaction. */
  tryAdd(added: W): boolean {
    const operations = added.write.operations.filter((operation) => !this.#operations.has(keyOf(operation)));
    const bytes = operations.reduce((sum, each) => sum + (each.kind === 'put' ? each.value.length : 0), this.#bytes);
    const size = Math.max(this.writes.length + 1, this.#operations.size + operations.length);
    if (this.writes.length > 0 && (size > maxTransactionSize || bytes > mostBytes)) return false;
    for (const operation of operations) this.#operations.set(keyOf(operation), operation);
    this.#bytes = bytes;
    this.writes.push(added);
    return true;
  }
}

function keyOf(operation: WriteOperation): string {
  return operation.kind === 'put' ? operation.key : operation.from;
}
