import {
  type KeyRange,
  type KeyValue,
  maxTransactionSize,
  type RangeRequest,
  type Revision,
  type Store,
  StoreError,
} from './store.js';

/** Which part of a list is wanted. */
export interface PageRequest {
  /** At most this many entries. */
  readonly limit: number;
  /** {@link Page.next} of the page before. @default the list's beginning */
  readonly after?: string | undefined;
  /** Entries to leave out before the page begins; costs a walk over their keys. @default 0 */
  readonly skip?: number | undefined;
}

/** A part of a list, read at one revision. */
export interface Page<T> {
  /** In key order. An entry whose record can't be read is missing, so there may be fewer than `limit`. */
  readonly entries: readonly T[];
  /** Where the next page goes on; `undefined` on the last one. */
  readonly next: string | undefined;
}

/** A page before its values are decoded. */
export interface KeyPage {
  readonly kvs: readonly KeyValue[];
  readonly next: string | undefined;
  readonly revision: Revision;
}

export interface KeyPageRequest extends PageRequest {
  /** All keys of the kind; what `after` and `next` are relative to. */
  readonly table: Required<KeyRange>;
  /** The part of the table that is listed. @default all of it */
  readonly within?: Required<KeyRange>;
  /** Which keys count. Costs a walk over all keys before the page's end. @default all */
  readonly accepts?: ((key: string) => boolean) | undefined;
}

/** Keys read at once by a walk: etcd sends 5,000 without values in a few milliseconds. */
const walkStep = 5_000;

/** As many records fit well into an answer of 4 MiB. */
const recordsPerRead = 5_000;

/** How often a read starts anew when its revision is compacted under it; a second time in a row is no accident. */
const mostReads = 3;

/** Reads a page of keys with their values: one range; with `skip` or `accepts`, a walk and then the values. */
export async function readKeyPage(store: Store, request: KeyPageRequest): Promise<KeyPage> {
  const { table, within = table, after, limit, skip = 0, accepts } = request;
  let from = after === undefined ? within.from : `${table.from}${after}\0`;
  if (from < within.from) from = within.from;
  const range = { from, to: within.to };
  if (from >= within.to) return { kvs: [], next: undefined, revision: 0 };
  const nextAfter = (last: KeyValue | undefined, hasMore: boolean) =>
    hasMore ? last?.key.slice(table.from.length) : undefined;
  if (skip === 0 && accepts === undefined) {
    const { kvs, hasMore, revision } = await store.range({ ...range, limit });
    return { kvs, next: nextAfter(kvs.at(-1), hasMore), revision };
  }
  const { keys, revision } = await walkKeys(store, range, { skip, count: limit + 1, accepts });
  const kvByKey = await getAll(store, keys.slice(0, limit), revision);
  const kvs = [...kvByKey.values()];
  return { kvs, next: nextAfter(kvs.at(-1), keys.length > limit), revision };
}

/**
 * The values of `keys` at `revision`, or as they are when each is read, in as many transactions as it takes; keys that don't
 * exist are missing.
 */
export async function getAll(
  store: Store,
  keys: readonly string[],
  revision?: Revision,
): Promise<ReadonlyMap<string, KeyValue>> {
  const kvByKey = new Map<string, KeyValue>();
  const at = revision === undefined ? {} : { revision };
  for (let start = 0; start < keys.length; start += maxTransactionSize) {
    const batch = keys.slice(start, start + maxTransactionSize);
    const { ranges } = await store.transact({
      success: batch.map((key) => ({ kind: 'range', from: key, ...at }) as const),
    });
    for (const { kvs } of ranges) for (const kv of kvs) kvByKey.set(kv.key, kv);
  }
  return kvByKey;
}

/** All keys of a range, in key order; what changes meanwhile may be in it or not. */
export async function readWholeRange(
  store: Store,
  range: Required<KeyRange>,
  options: Pick<RangeRequest, 'keysOnly'> = {},
): Promise<KeyValue[]> {
  const kvs: KeyValue[] = [];
  for (let from: string | undefined = range.from; from !== undefined; ) {
    const page = await store.range({ from, to: range.to, limit: recordsPerRead, ...options });
    kvs.push(...page.kvs);
    const last: KeyValue | undefined = page.kvs.at(-1);
    from = page.hasMore && last !== undefined ? `${last.key}\0` : undefined;
  }
  return kvs;
}

/** Runs a read of several calls at one revision, again from its start if that revision is compacted meanwhile. */
export async function retryIfCompacted<T>(read: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof StoreError && error.kind === 'compacted') || attempt >= mostReads) throw error;
    }
  }
}

interface Walk {
  readonly skip: number;
  readonly count: number;
  readonly accepts: ((key: string) => boolean) | undefined;
}

/** Up to `count` accepted keys after the first `skip` accepted ones. */
async function walkKeys(
  store: Store,
  range: Required<KeyRange>,
  { skip, count, accepts = () => true }: Walk,
): Promise<{ readonly keys: readonly string[]; readonly revision: Revision }> {
  const keys: string[] = [];
  let from = range.from;
  let skipped = 0;
  let revision: Revision | undefined;
  for (;;) {
    const at = revision === undefined ? {} : { revision };
    const step = await store.range({ from, to: range.to, limit: walkStep, keysOnly: true, ...at });
    revision ??= step.revision;
    for (const { key } of step.kvs) {
      if (!accepts(key)) continue;
      if (skipped < skip) skipped++;
      else if (keys.push(key) === count) return { keys, revision };
    }
    const last = step.kvs.at(-1);
    if (!step.hasMore || last === undefined) return { keys, revision };
    from = `${last.key}\0`;
  }
}
