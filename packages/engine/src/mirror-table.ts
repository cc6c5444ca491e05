import type { Revision } from '@flotilla/registry';

/** A record and the revisions of its key. */
export interface Entry<R> {
  readonly record: R;
  readonly createRevision: Revision;
  readonly modRevision: Revision;
}

/**
 * The records of one kind. What the leader writes itself is entered when it is committed; the watch tells of it again,
 * earlier or later, so everything that is not newer than what is known here is ignored.
 */
export class MirrorTable<K extends string, R, E extends Entry<R> = Entry<R>> {
  readonly #entries = new Map<K, E>();
  /** Own deletes that the watch has yet to tell of: until then, older puts may still come in. */
  readonly #deletedAt = new Map<K, Revision>();

  get entries(): ReadonlyMap<K, E> {
    return this.#entries;
  }

  get(key: K): E | undefined {
    return this.#entries.get(key);
  }

  /** Whether a put at `revision` tells anything new. */
  isNews(key: K, revision: Revision): boolean {
    return revision > (this.#entries.get(key)?.modRevision ?? this.#deletedAt.get(key) ?? 0);
  }

  put(key: K, entry: E): void {
    this.#entries.set(key, entry);
    this.#deletedAt.delete(key);
  }

  /** Takes note of a delete that the watch told; whether it was news. */
  delete(key: K, revision: Revision): boolean {
    if (revision >= (this.#deletedAt.get(key) ?? revision + 1)) this.#deletedAt.delete(key);
    return this.#drop(key, revision);
  }

  /** Takes note of an own delete; whether it was news. */
  deleteOwn(key: K, revision: Revision): boolean {
    const isNews = this.#drop(key, revision);
    if (isNews) this.#deletedAt.set(key, revision);
    return isNews;
  }

  #drop(key: K, revision: Revision): boolean {
    const entry = this.#entries.get(key);
    return entry !== undefined && entry.modRevision < revision && this.#entries.delete(key);
  }
}
