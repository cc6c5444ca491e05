import { SortedKeys } from './sorted-keys.js';
import {
  type KeyRange,
  type KeyValue,
  type RangeRequest,
  type RangeResult,
  type Revision,
  StoreError,
  type WatchEvent,
} from './store.js';

/** What a key was from `revision` on; without `kv` it was deleted. */
interface Version {
  readonly revision: Revision;
  readonly kv: KeyValue | undefined;
}

const noValue = new Uint8Array();

/** etcd begins at 1, with nothing in it. */
const firstRevision = 1;

/** A key's or a range's end, so that both read alike. */
export function endOf(range: KeyRange): string {
  return range.to ?? `${range.from}\0`;
}

/** All versions of all keys since the last compaction. Writes are gathered and become one revision by {@link commit}. */
export class MemoryHistory {
  #revision = firstRevision;
  #compactedAt = 0;
  readonly #keys = new SortedKeys();
  readonly #versions = new Map<string, Version[]>();
  /** Events by revision. */
  readonly #log = new Map<Revision, readonly WatchEvent[]>();
  #pending: WatchEvent[] = [];

  get revision(): Revision {
    return this.#revision;
  }

  /** Revisions below this one cannot be read any more. */
  get compactedAt(): Revision {
    return this.#compactedAt;
  }

  find(key: string): KeyValue | undefined {
    return this.#versions.get(key)?.at(-1)?.kv;
  }

  eventsAt(revision: Revision): readonly WatchEvent[] {
    return this.#log.get(revision) ?? [];
  }

  /** Sees the pending writes too, as a range in a transaction does. */
  range(request: RangeRequest): RangeResult {
    const revision = this.#revisionSeen();
    const at = request.revision ?? revision;
    this.checkReadable(at);
    const { limit = Number.POSITIVE_INFINITY } = request;
    const kvs: KeyValue[] = [];
    for (const key of this.#keys.between(request.from, endOf(request))) {
      const kv = this.#versions.get(key)?.findLast((version) => version.revision <= at)?.kv;
      if (kv === undefined) continue;
      if (kvs.length === limit) return { kvs, revision, hasMore: true };
      kvs.push(request.keysOnly === true ? { ...kv, value: noValue } : kv);
    }
    return { kvs, revision, hasMore: false };
  }

  checkReadable(revision: Revision): void {
    if (revision < this.#compactedAt) throw new StoreError('compacted', `revision ${revision} has been compacted`);
    if (revision > this.#revisionSeen()) throw new StoreError('refused', `revision ${revision} is in the future`);
  }

  put(put: Pick<KeyValue, 'key' | 'value' | 'lease'>): void {
    const revision = this.#revision + 1;
    const createRevision = this.find(put.key)?.createRevision ?? revision;
    const kv = { key: put.key, value: put.value.slice(), createRevision, modRevision: revision, lease: put.lease };
    this.#record(put.key, { revision, kv });
    this.#pending.push({ kind: 'put', kv });
  }

  /** Returns what was deleted. */
  delete(range: KeyRange): readonly KeyValue[] {
    const revision = this.#revision + 1;
    const gone = this.range({ from: range.from, to: endOf(range) }).kvs;
    for (const { key } of gone) {
      this.#record(key, { revision, kv: undefined });
      this.#pending.push({ kind: 'delete', key, modRevision: revision });
    }
    return gone;
  }

  /** Makes one revision of the writes since the last commit; none if nothing was written. */
  commit(): void {
    if (this.#pending.length === 0) return;
    this.#revision++;
    this.#log.set(this.#revision, this.#pending);
    this.#pending = [];
  }

  /** Forgets what was overwritten or deleted up to `revision`. */
  compact(revision: Revision): void {
    if (revision <= this.#compactedAt) throw new StoreError('compacted', `revision ${revision} has been compacted`);
    if (revision > this.#revision) throw new StoreError('refused', `revision ${revision} is in the future`);
    for (let old = this.#compactedAt; old < revision; old++) this.#log.delete(old);
    this.#compactedAt = revision;
    for (const [key, versions] of this.#versions) {
      const last = versions.findLastIndex((version) => version.revision <= revision);
      if (last >= 0) versions.splice(0, versions[last]?.kv === undefined ? last + 1 : last);
      if (versions.length > 0) continue;
      this.#versions.delete(key);
      this.#keys.delete(key);
    }
  }

  /** The keys as they were at `revision`, with the past up to there, as a restored backup has them. */
  restored(revision: Revision): MemoryHistory {
    this.checkReadable(revision);
    const past = new MemoryHistory();
    past.#revision = revision;
    past.#compactedAt = this.#compactedAt;
    for (const [key, versions] of this.#versions) {
      for (const version of versions) if (version.revision <= revision) past.#record(key, version);
    }
    for (const [at, events] of this.#log) if (at <= revision) past.#log.set(at, events);
    return past;
  }

  /** The revision that a range shows: pending writes have the next one. */
  #revisionSeen(): Revision {
    return this.#pending.length > 0 ? this.#revision + 1 : this.#revision;
  }

  #record(key: string, version: Version): void {
    const versions = this.#versions.get(key);
    if (versions !== undefined) versions.push(version);
    else {
      this.#versions.set(key, [version]);
      this.#keys.add(key);
    }
  }
}
