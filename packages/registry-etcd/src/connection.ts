import { FatalError } from '@flotilla/errors';
import { StoreError } from '@flotilla/registry';
import { type Clock, jittered, type Logger, sleep } from '@flotilla/runtime';
import type { Etcd3 } from 'etcd3';
import type { EtcdCredentials } from './auth-token.js';
import { ClientSet, type EtcdTls } from './client-set.js';
import { HostRing } from './host-ring.js';
import { findTroubleKind, type StoreOperation, type StoreTrouble, TroubleReport } from './store-trouble.js';
import { translateError } from './translate-error.js';

export interface EtcdStoreOptions {
  /** `http://host:port` or `https://host:port`, all of one kind; or `unix:/absolute/path`. */
  readonly hosts: readonly string[];
  /** Stands before every key, as a directory: a `/` is put at its end if there is none. */
  readonly prefix: string;
  readonly tls?: EtcdTls;
  /**
   * Asked when a call or a stream has failed: what it gives takes the place of `tls` if it differs. Rejects with what is
   * wrong if there is nothing that can be used; the old certificates are used on then. @default they never change
   */
  readonly renewTls?: () => Promise<EtcdTls>;
  readonly credentials?: EtcdCredentials;
  /** Asked before each call: why this host may not be used now, in words. @default each may be used */
  readonly findObjection?: (host: string) => Promise<string | undefined>;
  /** How long an answer may take. @default 2_000 */
  readonly requestTimeoutMs?: number;
  readonly clock: Clock;
  readonly log: Logger;
  /**
   * Told what keeps the client from etcd, once for each reason that an outage has, and `undefined` when it is over. The
   * errors of such calls are marked as reported. @default nobody is told
   */
  readonly onTrouble?: (trouble: StoreTrouble | undefined) => void;
}

const defaultRequestTimeoutMs = 2_000;

/** How often a read is tried in all while hosts can't be reached, and the first and the longest wait between. */
const readAttempts = { oneHost: 4, severalHosts: 6 };
const firstRetryMs = 50;
const longestRetryMs = 400;

/**
 * A read that has taken as many deadlines is not begun again. With several hosts: each of them, and one once more. Until
 * then it also waits for members to elect a leader, which takes them one to two seconds, and more if votes are split.
 */
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
  readonly #options: EtcdStoreOptions;
  /** What is in use, and what others still use that it has taken the place of. */
  #clients: ClientSet;
  readonly #clientSets = new Set<ClientSet>();
  readonly #report: TroubleReport | undefined;
  #renewing: Promise<void> | undefined;
  #refusedTls: string | undefined;
  readonly #rejectPending = new Set<(error: StoreError) => void>();
  #isClosed = false;

  constructor(options: EtcdStoreOptions) {
    const { hosts, tls, clock, log, onTrouble, requestTimeoutMs = defaultRequestTimeoutMs } = options;
    checkHosts(options);
    this.hosts = hosts;
    this.#options = options;
    this.requestTimeoutMs = requestTimeoutMs;
    this.clock = clock;
    this.log = log;
    this.#hosts = new HostRing(hosts, clock);
    this.#report = onTrouble === undefined ? undefined : new TroubleReport(onTrouble, clock);
    this.#clients = this.#createClients(tls);
  }

  /** A call that must not be made twice. */
  async write<T extends Answer>(call: (client: Etcd3) => Promise<T>): Promise<T> {
    const host = this.#hosts.choose();
    try {
      return await this.#call(host, call, 'write');
    } catch (error) {
      await this.#renew();
      throw this.#reported(error, host, 'write');
    }
  }

  /** A call without effect: tried again, on each host in turn, while etcd can't be reached. */
  async read<T extends Answer>(call: (client: Etcd3) => Promise<T>): Promise<T> {
    const { size } = this.#hosts;
    const attempts = size > 1 ? readAttempts.severalHosts : readAttempts.oneHost;
    const deadlines = size > 1 ? size + readDeadlines.besidesHosts : readDeadlines.oneHost;
    const lateMs = this.clock.monotonicMs() + deadlines * this.requestTimeoutMs;
    const tried = new Set<string>();
    for (let attempt = 1, unreached = 0; ; attempt++) {
      const host = this.#hosts.choose(tried);
      try {
        return await this.#call(host, call, 'read');
      } catch (error) {
        tried.add(host);
        await this.#renew();
        if (!(error instanceof StoreError) || error.kind !== 'unavailable') throw this.#reported(error, host, 'read');
        if (findTroubleKind(error) !== 'no-leader') unreached++;
        const isLate = this.clock.monotonicMs() > lateMs;
        if (isLate || unreached === attempts || this.#isClosed) throw this.#reported(error, host, 'read');
        const waitMs = Math.min(firstRetryMs * 2 ** (attempt - 1), longestRetryMs);
        await sleep(this.clock, jittered(this.clock, waitMs));
      }
    }
  }

  /** Asks one of the hosts, once. */
  async askHost<T>(host: string, call: (client: Etcd3) => Promise<T>): Promise<T> {
    return await this.#guard(host, call, 'read');
  }

  /** Opens a stream; it has no deadline of its own. */
  async open<T extends Stream>(call: (client: Etcd3) => Promise<T>): Promise<T> {
    const host = this.#hosts.choose();
    const isOver = this.#clients.use();
    try {
      const stream = await this.#guard(host, call, 'stream');
      stream.on('end', isOver);
      stream.on('error', () => {
        isOver();
        // One that its owner has ended is at its end; all else is the host's fault.
        if (stream.writable !== true) return;
        this.#hosts.failed(host);
        void this.#renew();
      });
      return stream;
    } catch (error) {
      isOver();
      await this.#renew();
      throw this.#reported(error, host, 'stream');
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
    for (const clients of [...this.#clientSets]) clients.close();
  }

  async #call<T extends Answer>(
    host: string,
    call: (client: Etcd3) => Promise<T>,
    operation: StoreOperation,
  ): Promise<T> {
    const answer = await this.#guard(host, call, operation);
    this.#hosts.answered(host);
    this.clusterId = answer.header.cluster_id;
    this.#report?.succeeded(operation);
    return answer;
  }

  #guard<T>(host: string, call: (client: Etcd3) => Promise<T>, operation: StoreOperation): Promise<T> {
    if (this.#isClosed) return Promise.reject(new StoreError('unavailable', 'the store is closed'));
    const clients = this.#clients;
    const isOver = clients.use();
    return new Promise((resolve, reject) => {
      this.#rejectPending.add(reject);
      const settle = (then: () => void) => {
        this.#rejectPending.delete(reject);
        isOver();
        then();
      };
      this.#admit(host, () => clients.call(host, call)).then(
        (answer) => settle(() => resolve(answer)),
        (error) =>
          settle(() => {
            const translated = translateError(error, operation === 'write');
            if (translated.kind === 'unavailable' || translated.kind === 'uncertain') this.#hosts.failed(host);
            reject(translated);
          }),
      );
    });
  }

  /** Nothing is sent, and nothing connected, to a host that may not be used. */
  async #admit<T>(host: string, call: () => Promise<T>): Promise<T> {
    const objection = await this.#options.findObjection?.(host);
    if (objection !== undefined) throw new StoreError('unavailable', `cannot reach etcd: ${objection}`);
    return await call();
  }

  /** Tells what is wrong if somebody wants to know, and marks the error. */
  #reported(error: unknown, host: string, operation: StoreOperation): unknown {
    if (!(error instanceof StoreError) || this.#report === undefined || this.#isClosed) return error;
    const kind = findTroubleKind(error, host);
    if (kind === undefined) return error;
    this.#report.failed({ kind, host, operation, why: error.message });
    return new StoreError(error.kind, error.message, { isReported: true });
  }

  #createClients(tls: EtcdTls | undefined): ClientSet {
    const options = { ...this.#options, tls, requestTimeoutMs: this.requestTimeoutMs };
    const clients: ClientSet = new ClientSet(options, () => this.#clientSets.delete(clients));
    this.#clientSets.add(clients);
    return clients;
  }

  /** Takes new certificates, if there are any; never rejects. */
  #renew(): Promise<void> {
    this.#renewing ??= this.#readTls().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #readTls(): Promise<void> {
    const { renewTls } = this.#options;
    if (renewTls === undefined || this.#isClosed) return;
    try {
      const tls = await renewTls();
      this.#refusedTls = undefined;
      if (this.#isClosed || isSameTls(tls, this.#clients.tls)) return;
      const old = this.#clients;
      this.#clients = this.#createClients(tls);
      old.retire();
      this.log.info('new certificates for etcd are in use');
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (message !== this.#refusedTls)
        this.log.warn('new certificates for etcd are not taken; those before them stay in use', { error });
      this.#refusedTls = message;
    }
  }
}

function isSameTls(one: EtcdTls, other: EtcdTls | undefined): boolean {
  const parts = ['ca', 'cert', 'key'] as const;
  return parts.every((part) => Buffer.compare(one[part] ?? noBytes, other?.[part] ?? noBytes) === 0);
}

const noBytes = Buffer.alloc(0);

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
