import { FatalError } from '@flotilla/errors';
import { StoreError } from '@flotilla/registry';
import { type Clock, jittered, type Logger, sleep } from '@flotilla/runtime';
import type { Etcd3 } from 'etcd3';
import { ClientSet, type EtcdTls } from './client-set.js';
import { HostRing } from './host-ring.js';
import { translateError } from './translate-error.js';

export interface EtcdStoreOptions {
  /** `http://host:port` or `https://host:port`, all of one kind; or `unix:/absolute/path`. */
  readonly hosts: readonly string[];
  /** Stands before every key, as a directory: a `/` is put at its end if there is none. */
  readonly prefix: string;
  readonly tls?: EtcdTls;
  readonly credentials?: { readonly user: string; readonly password: string };
  /** How long an answer may take. @default 2_000 */
  readonly requestTimeoutMs?: number;
  readonly clock: Clock;
  readonly log: Logger;
}

const defaultRequestTimeoutMs = 2_000;

/**
 * How often a read is tried in all, and the first wait between. With several members it is enough to live through the
 * election of a new leader, which takes etcd one to two seconds.
 */
const readAttempts = { oneHost: 4, severalHosts: 6 };
const firstRetryMs = 50;

/** A read that has taken as many deadlines is not begun again. With several hosts: each of them, and one once more. */
const readDeadlines = { oneHost: 3, besidesHosts: 1 };

/** A stream, as far as its end goes. */
interface Stream {
  on(event: 'end', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  readonly writable?: boolean;
}

/** One client of an etcd cluster: a deadline on every call, errors in the store's terms, no retries but of reads. */
export class EtcdConnection {
  readonly hosts: readonly string[];
  readonly requestTimeoutMs: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** The cluster that answered last. */
  clusterId: string | undefined;
  readonly #hosts: HostRing;
  readonly #clients: ClientSet;
  readonly #rejectPending = new Set<(error: StoreError) => void>();
  #isClosed = false;

  constructor(options: EtcdStoreOptions) {
    const { hosts, tls, clock, log, requestTimeoutMs = defaultRequestTimeoutMs } = options;
    checkHosts(options);
    this.hosts = hosts;
    this.requestTimeoutMs = requestTimeoutMs;
    this.clock = clock;
    this.log = log;
    this.#hosts = new HostRing(hosts, clock);
    this.#clients = new ClientSet({ ...options, tls, requestTimeoutMs });
  }

  /** A call that must not be made twice. */
  write<T extends Answer>(call: (client: Etcd3) => Promise<T>): Promise<T> {
    return this.#call(this.#hosts.choose(), call, true);
  }

  /** A call without effect: tried again, on each host in turn, while etcd can't be reached. */
  async read<T extends Answer>(call: (client: Etcd3) => Promise<T>): Promise<T> {
    const { size } = this.#hosts;
    const attempts = size > 1 ? readAttempts.severalHosts : readAttempts.oneHost;
    const deadlines = size > 1 ? size + readDeadlines.besidesHosts : readDeadlines.oneHost;
    const lateMs = this.clock.monotonicMs() + deadlines * this.requestTimeoutMs;
    const tried = new Set<string>();
    for (let attempt = 1; ; attempt++) {
      const host = this.#hosts.choose(tried);
      try {
        return await this.#call(host, call, false);
      } catch (error) {
        tried.add(host);
        const isWorthIt = error instanceof StoreError && error.kind === 'unavailable';
        const isLate = this.clock.monotonicMs() > lateMs;
        if (!isWorthIt || isLate || attempt === attempts || this.#isClosed) throw error;
        await sleep(this.clock, jittered(this.clock, firstRetryMs * 2 ** (attempt - 1)));
      }
    }
  }

  /** Asks one of the hosts, once. */
  async askHost<T>(host: string, call: (client: Etcd3) => Promise<T>): Promise<T> {
    return await this.#guard(host, call, false);
  }

  /** Opens a stream; it has no deadline of its own. */
  async open<T extends Stream>(call: (client: Etcd3) => Promise<T>): Promise<T> {
    const host = this.#hosts.choose();
    const isOver = this.#clients.use();
    try {
      const stream = await this.#guard(host, call, false);
      stream.on('end', isOver);
      stream.on('error', () => {
        // One that its owner has ended is at its end; all else is the host's fault.
        if (stream.writable === true) this.#hosts.failed(host);
        isOver();
      });
      return stream;
    } catch (error) {
      isOver();
      throw error;
    }
  }

  /** The certificates in use. */
  get tls(): EtcdTls | undefined {
    return this.#clients.tls;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Rejects what is pending. Streams are their owners' to end. */
  close(): void {
    this.#isClosed = true;
    for (const reject of this.#rejectPending) reject(new StoreError('unavailable', 'the store is closed'));
    this.#clients.close();
  }

  async #call<T extends Answer>(host: string, call: (client: Etcd3) => Promise<T>, hasEffect: boolean): Promise<T> {
    const answer = await this.#guard(host, call, hasEffect);
    this.#hosts.answered(host);
    this.clusterId = answer.header.cluster_id;
    return answer;
  }

  #guard<T>(host: string, call: (client: Etcd3) => Promise<T>, hasEffect: boolean): Promise<T> {
    if (this.#isClosed) return Promise.reject(new StoreError('unavailable', 'the store is closed'));
    return new Promise((resolve, reject) => {
      this.#rejectPending.add(reject);
      const settle = (then: () => void) => {
        this.#rejectPending.delete(reject);
        then();
      };
      call(this.#clients.find(host)).then(
        (answer) => settle(() => resolve(answer)),
        (error) =>
          settle(() => {
            const translated = translateError(error, hasEffect);
            if (translated.kind === 'unavailable' || translated.kind === 'uncertain') this.#hosts.failed(host);
            reject(translated);
          }),
      );
    });
  }
}

interface Answer {
  readonly header: { readonly cluster_id: string };
}

function checkHosts({ hosts, tls }: EtcdStoreOptions): void {
  if (hosts.length === 0) throw new FatalError('bad-etcd-hosts', 'no etcd host is given');
  const secure = hosts.filter((host) => host.startsWith('https://')).length;
  if (secure > 0 && secure < hosts.length)
    throw new FatalError('bad-etcd-hosts', `etcd hosts are both http and https: ${hosts.join(', ')}`);
  if (tls !== undefined && secure === 0)
    throw new FatalError('bad-etcd-hosts', `certificates are given, but etcd hosts are not https: ${hosts.join(', ')}`);
}
