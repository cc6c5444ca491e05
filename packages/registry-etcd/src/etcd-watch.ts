import {
  isBorneOut,
  StoreError,
  type Watch,
  type WatchBreak,
  type WatchEvent,
  type WatchListener,
  type WatchRequest,
  type Witness,
  witnessOf,
  witnessReads,
} from '@flotilla/registry';
import { jittered, sleep, type Timer } from '@flotilla/runtime';
import { FilterType, type IDuplexStream, type IWatchRequest, type IWatchResponse } from 'etcd3';
import type { EtcdConnection } from './connection.js';
import { WatchPosition } from './watch-position.js';
import { parseRevision, type Wire } from './wire.js';

type Stream = IDuplexStream<IWatchRequest, IWatchResponse>;

/** Waits between attempts to connect again. Taste: at once after a blip, no burden on a sick etcd. */
const firstBackoffMs = 50;
const longestBackoffMs = 1_000;

/** So often in a row a stream is turned down, although the same range may be read, before the watch gives up. */
const rejectionsAllowed = 3;

/** How a stream came to its end. */
type StreamEnd =
  | { readonly kind: 'interrupted'; readonly why: string }
  | { readonly kind: 'rejected'; readonly why: string };

export interface EtcdWatchOptions {
  readonly connection: EtcdConnection;
  readonly wire: Wire;
  readonly request: WatchRequest;
  readonly listener: WatchListener;
  readonly onClosed: (watch: EtcdWatch) => void;
}

/** One watch: one stream at a time, with an etcd watch per range, each resumed where its own events ended. */
export class EtcdWatch implements Watch {
  readonly #options: EtcdWatchOptions;
  readonly #positions: readonly WatchPosition[];
  readonly #closed = new AbortController();
  #clusterId: string | undefined;
  #witness: Witness | undefined;
  #failures = 0;
  #rejections = 0;

  constructor(options: EtcdWatchOptions) {
    const { request, wire, connection } = options;
    this.#options = options;
    this.#positions = request.ranges.map((range) => new WatchPosition(range, request.fromRevision, wire));
    this.#clusterId = connection.clusterId;
    this.#witness = request.witness;
    void this.#run();
  }

  close(): void {
    this.#closed.abort();
    this.#options.onClosed(this);
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#options.connection;
    const signal = this.#closed.signal;
    while (!signal.aborted) {
      const end = await this.#runOnce();
      if (signal.aborted) return;
      if (end.kind === 'rejected' && ++this.#rejections >= rejectionsAllowed) {
        log.warn('etcd turns a watch down', { why: end.why });
        this.#break('refused');
        return;
      }
      if (this.#failures === 0) log.debug('watch interrupted; connecting again', { why: end.why });
      const waitMs = Math.min(firstBackoffMs * 2 ** this.#failures++, longestBackoffMs);
      await sleep(clock, jittered(clock, waitMs), signal);
    }
  }

  async #runOnce(): Promise<StreamEnd> {
    const { connection } = this.#options;
    try {
      await this.#look();
      if (this.#closed.signal.aborted) return { kind: 'interrupted', why: 'closed' };
      const stream = await connection.open((client) => client.watchClient.watch());
      return await this.#follow(stream);
    } catch (error) {
      if (error instanceof StoreError && error.kind === 'refused') this.#break('refused');
      return { kind: 'interrupted', why: error instanceof Error ? error.message : String(error) };
    }
  }

  /**
   * Reads before it watches: only a read tells the store's newest revision (a watch may be served by a member that
   * lags), renews a token that has run out, and says whether the range may be seen at all.
   */
  async #look(): Promise<void> {
    const { connection, wire } = this.#options;
    const range = this.#positions[0]?.range;
    if (range === undefined) return;
    const look = wire.rangeRequest({ ...range, limit: 1, keysOnly: true });
    const { header } = await connection.read((client) => client.kv.range(look));
    this.#clusterId ??= header.cluster_id;
    const head = parseRevision(header.revision);
    if (header.cluster_id !== this.#clusterId) this.#break('foreign');
    else if (this.#positions.some(({ next }) => next > head + 1)) this.#break('went-back');
    else if (!(await this.#isBorneOut())) this.#break('went-back');
  }

  /** Whether the store still has the past that it told. One that is no longer kept bears witness of nothing. */
  async #isBorneOut(): Promise<boolean> {
    if (this.#witness === undefined) return true;
    const { connection, wire } = this.#options;
    const success = witnessReads(this.#witness).map((read) => ({ kind: 'range', ...read }) as const);
    const request = wire.transactionRequest({ success });
    try {
      const answer = await connection.read((client) => client.kv.txn(request));
      return isBorneOut(this.#witness, wire.transactionResult({ success }, answer).ranges);
    } catch (error) {
      if (error instanceof StoreError && error.kind === 'compacted') return true;
      throw error;
    }
  }

  #note(event: WatchEvent | undefined): void {
    if (event === undefined) return;
    const witness = witnessOf(event);
    if (witness.revision >= (this.#witness?.revision ?? 0)) this.#witness = witness;
  }

  /** Reads a stream to its end. */
  #follow(stream: Stream): Promise<StreamEnd> {
    const { clock, requestTimeoutMs } = this.#options.connection;
    return new Promise((resolve) => {
      let isOver = false;
      const finish = (end: StreamEnd, { isFault }: { readonly isFault: boolean }) => {
        if (isOver) return;
        isOver = true;
        deadline.cancel();
        this.#closed.signal.removeEventListener('abort', onClosed);
        // A stream that is cancelled without being ended counts as a fault of its host, and costs it its connection.
        if (!isFault) stream.end();
        stream.cancel();
        resolve(end);
      };
      const onClosed = () => finish({ kind: 'interrupted', why: 'closed' }, { isFault: false });
      const deadline = clock.setTimer(requestTimeoutMs, () =>
        finish({ kind: 'interrupted', why: 'etcd did not begin a watch in time' }, { isFault: true }),
      );
      this.#closed.signal.addEventListener('abort', onClosed);
      stream.on('data', (response) => {
        if (isOver) return;
        const end = this.#take(response, deadline);
        if (end !== undefined) finish(end, { isFault: false });
      });
      stream.on('error', (error) => finish({ kind: 'interrupted', why: error.message }, { isFault: false }));
      stream.on('end', () => finish({ kind: 'interrupted', why: 'etcd ended the stream' }, { isFault: false }));
      if (this.#closed.signal.aborted) onClosed();
      else for (const request of this.#createRequests()) stream.write(request);
    });
  }

  #createRequests(): IWatchRequest[] {
    return this.#positions.map(({ range, start }, index) => ({
      create_request: {
        ...this.#options.wire.keyRange(range),
        watch_id: index + 1,
        start_revision: start,
        progress_notify: true,
        filters: range.deletesOnly === true ? [FilterType.Noput] : [],
      },
    }));
  }

  #take(response: IWatchResponse, deadline: Timer): StreamEnd | undefined {
    const position = this.#positions[Number(response.watch_id) - 1];
    if (position === undefined) return { kind: 'rejected', why: response.cancel_reason };
    if (response.header.cluster_id !== this.#clusterId) return this.#break('foreign');
    const step = position.read(response);
    switch (step.kind) {
      case 'created':
        // etcd answers in the order of the requests, so this is the last one's.
        if (position !== this.#positions.at(-1)) return undefined;
        deadline.cancel();
        if (this.#failures > 0) this.#options.connection.log.debug('watch goes on', { revision: position.next });
        this.#failures = 0;
        this.#rejections = 0;
        return undefined;
      case 'events':
        this.#note(step.events.at(-1));
        this.#options.listener.onEvents(step.events, step.revision);
        return undefined;
      case 'nothing':
        return undefined;
      case 'behind':
        return { kind: 'interrupted', why: 'the member lags behind' };
      case 'rejected':
        return step;
      case 'broken':
        return this.#break(step.reason);
    }
  }

  /** Ends the watch and says why. */
  #break(reason: WatchBreak): StreamEnd {
    if (!this.#closed.signal.aborted) {
      this.close();
      this.#options.listener.onBroken(reason);
    }
    return { kind: 'interrupted', why: reason };
  }
}
