import { rootCertificates } from 'node:tls';
import { FatalError } from '@flotilla/errors';
import { StoreError } from '@flotilla/registry';
import { type Clock, jittered, type Logger, sleep } from '@flotilla/runtime';
import { InterceptingCall, type Interceptor, logVerbosity, setLogVerbosity } from '@grpc/grpc-js';
import { ConsecutiveBreaker, circuitBreaker, handleWhen, isBrokenCircuitError, noop } from 'cockatiel';
import { Etcd3, type IOptions, isRecoverableError } from 'etcd3';
import { translateError } from './translate-error.js';

/** PEM. Without `ca` the system's authorities hold; `cert` and `key` go together. */
export interface EtcdTls {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

export interface EtcdStoreOptions {
  /** `http://host:port` or `https://host:port`; all of one kind. */
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

/** A read that takes as many deadlines as this is not begun again, once each host was asked. */
const readDeadlines = 3;

const grpcOptions = {
  // etcd sends answers beyond grpc-js's default of 4 MiB.
  'grpc.max_receive_message_length': -1,
  // Only a stream that is silent is in need of it; etcd turns pings away that come closer than 5 s.
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 3_000,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1_000,
  'grpc.enable_channelz': 0,
};

/** Makes a member that has lost its quorum say so, instead of letting calls and watches hang on it. */
const requireLeader: Interceptor = (options, next) =>
  new InterceptingCall(next(options), {
    start(metadata, listener, start) {
      metadata.set('hasleader', 'true');
      start(metadata, listener);
    },
  });

/** One client of an etcd cluster: a deadline on every call, errors in the store's terms, no retries but of reads. */
export class EtcdConnection {
  readonly requestTimeoutMs: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** The cluster that answered last. */
  clusterId: string | undefined;
  readonly #client: Etcd3;
  /** A client for each of several hosts, used by what has to be tried again: etcd3 draws its hosts by lot each time. */
  readonly #oneHostClients: readonly Etcd3[];
  readonly #rejectPending = new Set<(error: StoreError) => void>();
  #isClosed = false;
  #lastFailure: string | undefined;

  constructor(options: EtcdStoreOptions) {
    this.requestTimeoutMs = options.requestTimeoutMs ?? defaultRequestTimeoutMs;
    this.clock = options.clock;
    this.log = options.log;
    // grpc-js writes to stderr of its own accord; what matters comes back as an error.
    setLogVerbosity(logVerbosity.NONE);
    this.#client = new Etcd3(clientOptions(options, this.requestTimeoutMs));
    const hosts = options.hosts.length > 1 ? options.hosts : [];
    this.#oneHostClients = hosts.map(
      (host) => new Etcd3(clientOptions({ ...options, hosts: [host] }, this.requestTimeoutMs)),
    );
  }

  /** A call that must not be made twice. */
  write<T extends Answer>(call: (client: Etcd3) => Promise<T>): Promise<T> {
    return this.#call(call, true);
  }

  /** A call without effect: tried again, on another host if there is one, while etcd can't be reached. */
  async read<T extends Answer>(call: (client: Etcd3) => Promise<T>): Promise<T> {
    const others = this.#oneHostClients;
    const attempts = others.length > 0 ? readAttempts.severalHosts : readAttempts.oneHost;
    const startedMs = this.clock.monotonicMs();
    const firstOther = Math.floor(this.clock.random() * others.length);
    for (let attempt = 1; ; attempt++) {
      const other = attempt === 1 ? undefined : others[(firstOther + attempt) % others.length];
      try {
        return await this.#call(other === undefined ? call : () => call(other), false);
      } catch (error) {
        const isWorthIt = error instanceof StoreError && error.kind === 'unavailable';
        const hasAskedAll = attempt > others.length;
        const isLate = hasAskedAll && this.clock.monotonicMs() - startedMs > readDeadlines * this.requestTimeoutMs;
        if (!isWorthIt || isLate || attempt === attempts || this.#isClosed) throw error;
        await sleep(this.clock, jittered(this.clock, firstRetryMs * 2 ** (attempt - 1)));
      }
    }
  }

  /** Opens a stream; it has no deadline of its own. */
  async open<T>(call: (client: Etcd3) => Promise<T>): Promise<T> {
    return await this.#guard(call, false);
  }

  /** Rejects what is pending. Streams are their owners' to end. */
  close(): void {
    this.#isClosed = true;
    for (const reject of this.#rejectPending) reject(new StoreError('unavailable', 'the store is closed'));
    for (const client of [this.#client, ...this.#oneHostClients]) client.close();
  }

  async #call<T extends Answer>(call: (client: Etcd3) => Promise<T>, hasEffect: boolean): Promise<T> {
    const answer = await this.#guard(call, hasEffect);
    this.clusterId = answer.header.cluster_id;
    return answer;
  }

  /** A breaker that lets nothing through knows no reason; the failure that opened it does. */
  #translate(error: unknown, hasEffect: boolean): StoreError {
    const translated = translateError(error, hasEffect);
    if (isBrokenCircuitError(error)) return new StoreError('unavailable', this.#lastFailure ?? translated.message);
    if (translated.kind === 'unavailable' || translated.kind === 'uncertain') this.#lastFailure = translated.message;
    return translated;
  }

  #guard<T>(call: (client: Etcd3) => Promise<T>, hasEffect: boolean): Promise<T> {
    if (this.#isClosed) return Promise.reject(new StoreError('unavailable', 'the store is closed'));
    return new Promise((resolve, reject) => {
      this.#rejectPending.add(reject);
      const settle = (then: () => void) => {
        this.#rejectPending.delete(reject);
        then();
      };
      call(this.#client).then(
        (answer) => settle(() => resolve(answer)),
        (error) => settle(() => reject(this.#translate(error, hasEffect))),
      );
    });
  }
}

interface Answer {
  readonly header: { readonly cluster_id: string };
}

function clientOptions(options: EtcdStoreOptions, requestTimeoutMs: number): IOptions {
  const { hosts, credentials, clock } = options;
  const tls = tlsOptions(options);
  // With passwords etcd3's breaker and its token renewal wait for each other; with one host there is no other to try.
  const hasBreaker = hosts.length > 1 && credentials === undefined;
  return {
    hosts: [...hosts],
    ...(tls === undefined ? {} : { credentials: tls }),
    ...(credentials === undefined ? {} : { auth: { username: credentials.user, password: credentials.password } }),
    grpcOptions,
    defaultCallOptions: ({ isStream }) => ({
      interceptors: [requireLeader],
      ...(isStream ? {} : { deadline: clock.now() + requestTimeoutMs }),
    }),
    faultHandling: { global: noop, host: () => (hasBreaker ? hostBreaker() : noop) },
  };
}

function hostBreaker() {
  const breaker = new ConsecutiveBreaker(3);
  return circuitBreaker(handleWhen(isRecoverableError), { halfOpenAfter: 2_000, breaker });
}

function tlsOptions({ hosts, tls }: EtcdStoreOptions): IOptions['credentials'] | undefined {
  if (hosts.length === 0) throw new FatalError('bad-etcd-hosts', 'no etcd host is given');
  const secure = hosts.filter((host) => host.startsWith('https://')).length;
  if (secure > 0 && secure < hosts.length)
    throw new FatalError('bad-etcd-hosts', `etcd hosts are both http and https: ${hosts.join(', ')}`);
  if (tls === undefined) return undefined;
  if (secure === 0)
    throw new FatalError('bad-etcd-hosts', `certificates are given, but etcd hosts are not https: ${hosts.join(', ')}`);
  const { ca, cert, key } = tls;
  return {
    rootCertificate: ca ?? Buffer.from(rootCertificates.join('\n')),
    ...(key === undefined ? {} : { privateKey: key }),
    ...(cert === undefined ? {} : { certChain: cert }),
  };
}
