import type { FolderEntry, FolderFault } from '@flotilla/folder';

/** How long an entry has to stay as it is before it counts. Taste: longer than an editor takes, too short to wait for. */
const restMs = 500;
/** The same of a file that ends within a line: it is being written. */
const halfWrittenMs = 3_000;
/** The same of an entry that is gone, or can't be read: it may be about to be put there anew. */
const absentMs = 1_000;
/** How long changes wait for others that have not come to rest, so that what is done at once is one change. */
const mostCompanyMs = 3_500;
/** The same of an entry that is gone: what it held may be on its way into another one. */
const mostCompanyOfGoneMs = 30_000;

type Seen = FolderEntry | 'gone';

interface Followed {
  /** What it counts as; `unknown`: it was there before this process was. */
  readonly counts: Seen | 'unknown';
  /** What it has been since `sinceMs`, if that is something else. */
  readonly next?: { readonly seen: Seen; readonly sinceMs: number };
}

/** What is known of each entry, by name. */
export type Settling = ReadonlyMap<string, Followed>;

export interface Look {
  readonly entries: readonly FolderEntry[];
  /** When it was taken, on the monotonic clock. */
  readonly nowMs: number;
}

/** What a folder counts as. */
export interface Settled {
  readonly settling: Settling;
  /** Those that count, by name. */
  readonly entries: readonly FolderEntry[];
  /** Names of entries of which nothing can be said yet. */
  readonly unknown: ReadonlySet<string>;
  /** Whether `entries` or `unknown` are others than before. */
  readonly isNews: boolean;
  /** When to look again, on the monotonic clock; `undefined`: everything counts as it is. */
  readonly dueMs: number | undefined;
}

/** Before the first look: entries that were there once, so that their absence has to settle, too. */
export function expectEntries(names: Iterable<string>): Settling {
  return new Map(Array.from(names, (name) => [name, { counts: 'unknown' }]));
}

/**
 * Takes in one more look. An entry counts as what two looks have seen that are far enough apart; what comes to rest
 * shortly after one another counts at once.
 */
export function settle(before: Settling, { entries, nowMs }: Look): Settled {
  const there = new Map(entries.map((entry) => [entry.name, entry]));
  const followed = [...new Set([...before.keys(), ...there.keys()])]
    .sort()
    .map((name) => [name, see(before.get(name), { seen: there.get(name) ?? 'gone', nowMs })] as const);
  const restAtMs = followed.reduce((last, [, { next }]) => Math.max(last, next ? restOf(next) : nowMs), nowMs);
  const settling = new Map<string, Followed>();
  const counting: FolderEntry[] = [];
  const unknown = new Set<string>();
  let isNews = false;
  let dueMs = Number.POSITIVE_INFINITY;
  for (const [name, { counts: old, next }] of followed) {
    const countsAtMs = next === undefined ? nowMs : countsAt(next, restAtMs);
    const isOver = next !== undefined && countsAtMs <= nowMs;
    const counts = isOver ? next.seen : old;
    if (isOver) isNews = true;
    else if (next !== undefined) dueMs = Math.min(dueMs, countsAtMs);
    if (counts === 'unknown') unknown.add(name);
    else if (counts !== 'gone') counting.push(counts);
    if (counts !== 'gone' || !(isOver || next === undefined))
      settling.set(name, isOver || next === undefined ? { counts } : { counts, next });
  }
  return {
    settling,
    entries: counting,
    unknown,
    isNews,
    dueMs: dueMs === Number.POSITIVE_INFINITY ? undefined : dueMs,
  };
}

function see(before: Followed | undefined, { seen, nowMs }: { readonly seen: Seen; readonly nowMs: number }): Followed {
  const { counts, next } = before ?? { counts: 'gone' };
  if (counts !== 'unknown' && isSame(counts, seen)) return { counts: seen };
  const sinceMs = next !== undefined && isSame(next.seen, seen) ? next.sinceMs : nowMs;
  return { counts, next: { seen, sinceMs } };
}

/** When it has been as it is for long enough. */
function restOf({ seen, sinceMs }: NonNullable<Followed['next']>): number {
  if (seen === 'gone' || !(seen.content instanceof Uint8Array)) return sinceMs + absentMs;
  return sinceMs + (seen.content.at(-1) === newline ? restMs : halfWrittenMs);
}

/** When it counts: once all others are at rest, too, or have been waited for long enough. */
function countsAt(next: NonNullable<Followed['next']>, restAtMs: number): number {
  const company = next.seen === 'gone' ? mostCompanyOfGoneMs : mostCompanyMs;
  return Math.max(restOf(next), Math.min(restAtMs, next.sinceMs + company));
}

const newline = '\n'.charCodeAt(0);

function isSame(one: Seen, other: Seen): boolean {
  if (one === 'gone' || other === 'gone') return one === other;
  return one.target === other.target && isSameContent(one.content, other.content);
}

function isSameContent(one: Uint8Array | FolderFault, other: Uint8Array | FolderFault): boolean {
  if (one === other) return true;
  if (one instanceof Uint8Array && other instanceof Uint8Array) return Buffer.compare(one, other) === 0;
  if (one instanceof Uint8Array || other instanceof Uint8Array) return false;
  return one.kind === other.kind && one.message === other.message;
}
