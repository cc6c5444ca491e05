import type { KeyValue, RangeRequest, RangeResult, Revision, WatchEvent } from './store.js';

/**
 * Something that a store has told, by which to know later whether its history is still the same. Its revision alone does
 * not tell: a store that was put back to an older copy and has been written to since is as far on as before.
 */
export interface Witness {
  readonly kind: WatchEvent['kind'];
  readonly key: string;
  readonly revision: Revision;
}

export function witnessOf(event: WatchEvent): Witness {
  if (event.kind === 'put') return { kind: 'put', key: event.kv.key, revision: event.kv.modRevision };
  return { kind: 'delete', key: event.key, revision: event.modRevision };
}

/** The youngest of the keys of a snapshot; `undefined` if it is empty. */
export function findWitness(kvs: readonly KeyValue[]): Witness | undefined {
  let youngest: KeyValue | undefined;
  for (const kv of kvs) if (kv.modRevision > (youngest?.modRevision ?? 0)) youngest = kv;
  return youngest && { kind: 'put', key: youngest.key, revision: youngest.modRevision };
}

/** The reads of the past that {@link isBorneOut} judges by; they throw `compacted` if that past is no longer kept. */
export function witnessReads({ kind, key, revision }: Witness): RangeRequest[] {
  const at = (past: Revision): RangeRequest => ({ from: key, revision: past, keysOnly: true });
  return kind === 'put' ? [at(revision)] : [at(revision - 1), at(revision)];
}

/** Whether a store, by its answers to {@link witnessReads}, has the same past. */
export function isBorneOut({ kind, revision }: Witness, answers: readonly RangeResult[]): boolean {
  const [first, second] = answers.map(({ kvs }) => kvs[0]);
  return kind === 'put' ? first?.modRevision === revision : first !== undefined && second === undefined;
}
