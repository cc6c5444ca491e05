import type { CompactionRecord, Revision } from '@flotilla/registry';

/** History that is younger than this is kept: whoever was away for less goes on where it was. */
const keptHistoryMs = 3_600_000;

/** Fewer revisions than this are not worth a compaction, nor a write to note where they begin. Taste. */
const leastRevisions = 500;

/**
 * - `wait`: nothing is to be done yet.
 * - `mark`: note where the store is now.
 * - `compact`: forget what lies before `revision`, then note where the store is now.
 */
export type CompactionStep =
  | { readonly kind: 'wait' | 'mark' }
  | { readonly kind: 'compact'; readonly revision: Revision };

/**
 * What the leader does about the store's history. The mark says where the store was some time ago; when it is an hour
 * old the store is compacted to it, and the next one is set. So an hour of history is there at any time, hardly more
 * than two, and a store in which nothing happens is left alone.
 *
 * @param mark The mark as stored, whoever set it; `undefined` if there is none or it can't be read.
 * @param revision The store's newest.
 */
export function compactionStep({ mark, revision, nowMs }: CompactionView): CompactionStep {
  if (mark === undefined) return { kind: revision < leastRevisions ? 'wait' : 'mark' };
  // The mark is of another store, copied into this one, or of a clock that was wrong.
  if (mark.revision > revision || mark.at > nowMs) return { kind: 'mark' };
  if (nowMs - mark.at < keptHistoryMs || revision - mark.revision < leastRevisions) return { kind: 'wait' };
  return { kind: 'compact', revision: mark.revision };
}

export interface CompactionView {
  readonly mark: CompactionRecord | undefined;
  readonly revision: Revision;
  readonly nowMs: number;
}
