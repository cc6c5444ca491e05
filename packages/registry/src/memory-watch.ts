import type { MemoryCluster } from './memory-cluster.js';
import { endOf, type MemoryHistory } from './memory-history.js';
import type { Revision, Watch, WatchBreak, WatchEvent, WatchListener, WatchRange, WatchRequest } from './store.js';
import { isBorneOut, type Witness, witnessOf, witnessReads } from './witness.js';

/** etcd sends at most so many revisions in one answer to a watch that has to catch up. */
const batchRevisions = 1000;

interface Position {
  readonly range: WatchRange;
  next: Revision;
}

export interface MemoryWatchOptions {
  readonly request: WatchRequest;
  readonly listener: WatchListener;
  readonly cluster: () => MemoryCluster;
  /** While it is not, nothing is told, and nothing is lost. */
  readonly isConnected: () => boolean;
  readonly onClosed: (watch: MemoryWatch) => void;
}

/** One watch of one client. Like a real one it tells events later, never inside the call that made them. */
export class MemoryWatch implements Watch {
  readonly #options: MemoryWatchOptions;
  readonly #positions: readonly Position[];
  readonly #clusterId: number;
  #witness: Witness | undefined;
  /** The one that the witness was last held to. */
  #history: MemoryHistory | undefined;
  #isClosed = false;
  #isWoken = false;

  constructor(options: MemoryWatchOptions) {
    this.#options = options;
    this.#positions = options.request.ranges.map((range) => ({ range, next: options.request.fromRevision }));
    this.#clusterId = options.cluster().id;
    this.#witness = options.request.witness;
    this.wake();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#options.onClosed(this);
  }

  /** Tells what is new, soon. */
  wake(): void {
    if (this.#isWoken) return;
    this.#isWoken = true;
    queueMicrotask(() => this.pump());
  }

  /** Tells what is new, now. */
  pump(): void {
    this.#isWoken = false;
    const reason = this.#broken();
    if (reason !== undefined) {
      this.close();
      this.#options.listener.onBroken(reason);
      return;
    }
    for (const position of this.#positions) this.#tell(position);
  }

  #broken(): WatchBreak | undefined {
    if (this.#isSilent()) return undefined;
    const { id, history } = this.#options.cluster();
    if (id !== this.#clusterId) return 'foreign';
    if (this.#positions.some(({ next }) => next > history.revision + 1)) return 'went-back';
    if (this.#positions.some(({ next }) => next <= history.compactedAt)) return 'compacted';
    if (this.#history !== history && !this.#isBorneOut(history)) return 'went-back';
    this.#history = history;
    return undefined;
  }

  /** A past that is no longer kept bears witness of nothing. */
  #isBorneOut(history: MemoryHistory): boolean {
    if (this.#witness === undefined || this.#witness.revision <= history.compactedAt) return true;
    return isBorneOut(
      this.#witness,
      witnessReads(this.#witness).map((read) => history.range(read)),
    );
  }

  #tell(position: Position): void {
    const { history } = this.#options.cluster();
    while (!this.#isSilent() && position.next <= history.revision) {
      const last = Math.min(history.revision, position.next + batchRevisions - 1);
      const events: WatchEvent[] = [];
      for (let revision = position.next; revision <= last; revision++) {
        for (const event of history.eventsAt(revision)) if (isWanted(event, position.range)) events.push(event);
      }
      position.next = last + 1;
      const told = events.at(-1);
      if (told === undefined) continue;
      const witness = witnessOf(told);
      if (witness.revision > (this.#witness?.revision ?? 0)) this.#witness = witness;
      this.#options.listener.onEvents(events, witness.revision);
    }
  }

  #isSilent(): boolean {
    return this.#isClosed || !this.#options.isConnected();
  }
}

function isWanted(event: WatchEvent, range: WatchRange): boolean {
  const key = event.kind === 'put' ? event.kv.key : event.key;
  return key >= range.from && key < endOf(range) && (range.deletesOnly !== true || event.kind === 'delete');
}
