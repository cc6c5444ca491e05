import { createHash } from 'node:crypto';
import type { UnitName } from '@flotilla/unit';
import { keys } from './keys.js';
import { encodeRecord, type UnitRecord } from './records.js';
import { type Compare, maxTransactionSize, type Operation } from './store.js';
import type { Before } from './unit-before.js';
import type { UnitChangeDecision, UnitContent } from './unit-change.js';

export type WriteDecision = Extract<UnitChangeDecision, { kind: 'write' }>;

/** What is written about one unit, and what it relies on. Goes into one transaction, whole. */
export interface UnitWrite {
  /** The first one is what the unit itself must be. */
  readonly compares: readonly Compare[];
  /** No two on one key. */
  readonly operations: readonly WriteOperation[];
}

export type WriteOperation = Exclude<Operation, { kind: 'range' }>;

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
  return { compares: [{ key, on: 'mod-revision', equals: before?.modRevision ?? 0 }], operations };
}

/** What a unit file is kept under: its SHA-256, in hex. */
export function fileKeyOf({ file }: UnitContent): string {
  return createHash('sha256').update(file).digest('hex');
}

/** The writes of one transaction. What several of them put or compare, a unit file in common, is put once. */
export class WriteBatch<W extends { readonly write: UnitWrite }> {
  readonly writes: W[] = [];
  readonly #compares = new Map<string, Compare>();
  readonly #operations = new Map<string, WriteOperation>();
  #bytes = 0;

  get compares(): readonly Compare[] {
    return [...this.#compares.values()];
  }

  get operations(): readonly Operation[] {
    return [...this.#operations.values()];
  }

  /** Adds a write unless it is too much for the transaction. */
  tryAdd(added: W): boolean {
    const operations = added.write.operations.filter((operation) => !this.#operations.has(keyOf(operation)));
    const bytes = operations.reduce((sum, each) => sum + (each.kind === 'put' ? each.value.length : 0), this.#bytes);
    const compares = added.write.compares.filter(({ key }) => !this.#compares.has(key));
    const size = Math.max(this.#compares.size + compares.length, this.#operations.size + operations.length);
    if (this.writes.length > 0 && (size > maxTransactionSize || bytes > mostBytes)) return false;
    for (const compare of compares) this.#compares.set(compare.key, compare);
    for (const operation of operations) this.#operations.set(keyOf(operation), operation);
    this.#bytes = bytes;
    this.writes.push(added);
    return true;
  }
}

function keyOf(operation: WriteOperation): string {
  return operation.kind === 'put' ? operation.key : operation.from;
}

/** Those that had rivals go apart, so that they don't hold up the others again. */
export function toBatches<W extends { readonly edit: { readonly attempts: number }; readonly write: UnitWrite }>(
  writes: readonly W[],
): readonly WriteBatch<W>[] {
  const sorted = [...writes].sort((one, other) => one.edit.attempts - other.edit.attempts);
  const made: WriteBatch<W>[] = [];
  let attempts: number | undefined;
  for (const each of sorted) {
    if (each.edit.attempts === attempts && made.at(-1)?.tryAdd(each) === true) continue;
    attempts = each.edit.attempts;
    const batch = new WriteBatch<W>();
    batch.tryAdd(each);
    made.push(batch);
  }
  return made;
}
