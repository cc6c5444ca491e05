import { rootCertificates } from 'node:tls';
import { FatalError } from '@flotilla/errors';
import type { Clock } from '@flotilla/runtime';
import { InterceptingCall, type Interceptor, logVerbosity, setLogVerbosity, status } from '@grpc/grpc-js';
import { noop } from 'cockatiel';
import { Etcd3, type IOptions } from 'etcd3';
import { AuthToken, type EtcdCredentials } from './auth-token.js';

/** PEM. Without `ca` the system's authorities hold; `cert` and `key` go together. */
export interface EtcdTls {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

export interface ClientSetOptions {
  readonly hosts: readonly string[];
  readonly tls: EtcdTls | undefined;
  readonly credentials?: EtcdCredentials;
  readonly requestTimeoutMs: number;
  readonly clock: Clock;
}

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

/**
 * etcd's "quota used up" comes as RESOURCE_EXHAUSTED, which etcd3 takes for a fault of the host: each such refusal
 * would cost the connection.
 */
const blameTheCall: Interceptor = (options, next) =>
  new InterceptingCall(next(options), {
    start(metadata, _listener, start) {
      start(metadata, {
        onReceiveStatus(received, pass) {
          const isExhausted = received.code === status.RESOURCE_EXHAUSTED;
          pass(isExhausted ? { ...received, code: status.FAILED_PRECONDITION } : received);
        },
      });
    },
  });

interface Client {
  readonly etcd: Etcd3;
  readonly token: AuthToken | undefined;
}

/** A client for each host, all with the same certificates. Once retired it ends when nobody uses it any more. */
export class ClientSet {
  readonly tls: EtcdTls | undefined;
  readonly #clientByHost: ReadonlyMap<string, Client>;
  readonly #onClosed: () => void;
  #users = 0;
  #isRetired = false;

  /** @throws Error if the certificates can't be used. */
  constructor(options: ClientSetOptions, onClosed: () => void = () => {}) {
    // grpc-js writes to stderr of its own accord; what matters comes back as an error.
    setLogVerbosity(logVerbosity.NONE);
    this.tls = options.tls;
    this.#onClosed = onClosed;
    this.#clientByHost = new Map(options.hosts.map((host) => [host, createClient(host, options)]));
  }

  async call<T>(host: string, call: (client: Etcd3) => Promise<T>): Promise<T> {
    const client = this.#clientByHost.get(host);
    if (client === undefined) throw new FatalError('bad-etcd-hosts', `${host} is none of the etcd hosts`);
    const { etcd, token } = client;
    return await (token === undefined ? call(etcd) : token.use(etcd, call));
  }

  /** Counts a call or a stream; the result, called once or more, says that it is over. */
  use(): () => void {
    let isOver = false;
    this.#users++;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#users--;
      this.#endIfUnused();
    };
  }

  retire(): void {
    this.#isRetired = true;
    this.#endIfUnused();
  }

  close(): void {
    for (const { etcd } of this.#clientByHost.values()) etcd.close();
    this.#onClosed();
  }

  #endIfUnused(): void {
    if (this.#isRetired && this.#users === 0) this.close();
  }
}

function createClient(host: string, options: ClientSetOptions): Client {
  const token = options.credentials === undefined ? undefined : new AuthToken(options.credentials);
  return { etcd: new Etcd3(clientOptions(host, options, token)), token };
}

function clientOptions(host: string, options: ClientSetOptions, token: AuthToken | undefined): IOptions {
  const { tls, clock, requestTimeoutMs } = options;
  const interceptors = [requireLeader, blameTheCall, ...(token === undefined ? [] : [token.interceptor])];
  return {
    hosts: host,
    ...(tls === undefined ? {} : { credentials: tlsOptions(tls) }),
    grpcOptions,
    defaultCallOptions: ({ isStream }) => ({
      interceptors,
      ...(isStream ? {} : { deadline: clock.now() + requestTimeoutMs }),
    }),
    // Its retries would repeat writes. Its breakers, once all are open, let nothing through for seconds although etcd is
    // well again.
    faultHandling: { global: noop, host: () => noop },
  };
}

function tlsOptions({ ca, cert, key }: EtcdTls): NonNullable<IOptions['credentials']> {
  return {
    rootCertificate: ca ?? Buffer.from(rootCertificates.join('\n')),
    ...(key === undefined ? {} : { privateKey: key }),
    ...(cert === undefined ? {} : { certChain: cert }),
  };
}
