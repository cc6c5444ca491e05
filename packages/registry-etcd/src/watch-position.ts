import type { Revision, WatchBreak, WatchEvent, WatchRange } from '@flotilla/registry';
import type { IWatchResponse } from 'etcd3';
import { parseRevision, type Wire } from './wire.js';

/** What an answer on a watch stream means for the watch. */
export type WatchStep =
  | { readonly kind: 'created' }
  | { readonly kind: 'events'; readonly events: readonly WatchEvent[]; readonly revision: Revision }
  | { readonly kind: 'nothing' }
  /** The member that answers is behind what was seen already: it lags, or the store went back. */
  | { readonly kind: 'behind' }
  /** Turned down, perhaps only for a token that has just run out. */
  | { readonly kind: 'rejected'; readonly why: string }
  | { readonly kind: 'broken'; readonly reason: WatchBreak };

/** How far one range of a watch has been told. */
export class WatchPosition {
  readonly range: WatchRange;
  readonly #wire: Wire;
  #next: Revision;

  constructor(range: WatchRange, fromRevision: Revision, wire: Wire) {
    this.range = range;
    this.#next = fromRevision;
    this.#wire = wire;
  }

  /** The first revision that has not been told. */
  get next(): Revision {
    return this.#next;
  }

  /**
   * Where a stream has to begin: one revision early. Older etcds (3.4.23 is one) silently drop a delete at the very
   * revision that they compact to; begun before that, the stream says `compacted` instead.
   *
   * @see https://github.com/etcd-io/etcd/issues/18089
   */
  get start(): Revision {
    return Math.max(1, this.#next - 1);
  }

  /** Takes an answer into account. */
  read(response: IWatchResponse): WatchStep {
    if (response.canceled) {
      if (parseRevision(response.compact_revision) > 0) return { kind: 'broken', reason: 'compacted' };
      return { kind: 'rejected', why: response.cancel_reason };
    }
    const head = parseRevision(response.header.revision);
    if (response.created) return head + 1 < this.#next ? { kind: 'behind' } : { kind: 'created' };
    if (response.events.length === 0) {
      // A progress notification: everything up to here has been sent. While events come, the header is ahead of them.
      this.#next = Math.max(this.#next, head + 1);
      return { kind: 'nothing' };
    }
    const events: WatchEvent[] = [];
    let last = this.#next - 1;
    for (const event of response.events) {
      const revision = parseRevision(event.kv.mod_revision);
      if (revision < this.#next) continue;
      last = revision;
      events.push(this.#wire.event(event));
    }
    this.#next = last + 1;
    return events.length === 0 ? { kind: 'nothing' } : { kind: 'events', events, revision: last };
  }
}
