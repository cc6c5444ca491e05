import { type LeaseGrant, type LeaseId, StoreError } from '@flotilla/registry';
import type { Timer } from '@flotilla/runtime';
import type { IDuplexStream, ILeaseKeepAliveRequest, ILeaseKeepAliveResponse } from 'etcd3';
import type { EtcdConnection } from './connection.js';
import { translateError } from './translate-error.js';

type Stream = IDuplexStream<ILeaseKeepAliveRequest, ILeaseKeepAliveResponse>;

interface Ping {
  readonly id: LeaseId;
  readonly deadline: Timer;
  answer(grant: LeaseGrant | undefined): void;
  fail(error: StoreError): void;
}

/**
 * Keepalives of all leases of a store, over one stream that is opened by the first and again after each failure.
 * A ping that gets no answer in time takes the connection with it, so that the next one goes over a new one.
 */
export class KeepaliveStream {
  readonly #connection: EtcdConnection;
  #stream: Promise<Stream> | undefined;
  /** The stream, once it is open. */
  #open: Stream | undefined;
  /** Why the open stream is being cancelled. */
  #timeout: StoreError | undefined;
  readonly #pings = new Set<Ping>();

  constructor(connection: EtcdConnection) {
    this.#connection = connection;
  }

  ping(id: LeaseId): Promise<LeaseGrant | undefined> {
    const { clock, requestTimeoutMs } = this.#connection;
    return new Promise((resolve, reject) => {
      const settle = (then: () => void) => {
        ping.deadline.cancel();
        this.#pings.delete(ping);
        then();
      };
      const ping: Ping = {
        id,
        deadline: clock.setTimer(requestTimeoutMs, () => this.#reset()),
        answer: (grant) => settle(() => resolve(grant)),
        fail: (error) => settle(() => reject(error)),
      };
      this.#pings.add(ping);
      this.#opened().then(
        (stream) => {
          if (this.#pings.has(ping)) stream.write({ ID: id });
        },
        (error) => ping.fail(translateError(error, false)),
      );
    });
  }

  close(): void {
    const open = this.#open;
    this.#drop(new StoreError('unavailable', 'the store is closed'));
    // Ended first, or etcd3 takes the cancelling for a fault of the host.
    open?.end();
    open?.cancel();
  }

  #opened(): Promise<Stream> {
    if (this.#stream !== undefined) return this.#stream;
    const opening = this.#connection.open((client) => client.leaseClient.leaseKeepAlive());
    this.#stream = opening;
    opening.then(
      (stream) => this.#attach(stream, opening),
      () => {
        if (this.#stream === opening) this.#stream = undefined;
      },
    );
    return opening;
  }

  #attach(stream: Stream, opening: Promise<Stream>): void {
    if (this.#stream !== opening) {
      stream.end();
      stream.cancel();
      return;
    }
    this.#open = stream;
    const end = (error: StoreError) => {
      if (this.#stream === opening) this.#drop(error);
    };
    stream.on('data', ({ ID, TTL }) => {
      for (const ping of this.#pings) {
        if (ping.id !== ID) continue;
        ping.answer(Number(TTL) > 0 ? { id: ID, ttlSeconds: Number(TTL) } : undefined);
        return;
      }
    });
    stream.on('error', (error) => end(this.#timeout ?? translateError(error, false)));
    stream.on('end', () => end(new StoreError('unavailable', 'etcd ended the keepalive stream')));
  }

  #reset(): void {
    const error = new StoreError('unavailable', 'etcd: no answer to a keepalive in time');
    if (this.#open === undefined) {
      this.#drop(error);
      return;
    }
    // Pings fail when etcd3 has heard of the cancelling, and dropped the connection: who tries again gets a new one.
    this.#timeout = error;
    this.#open.cancel();
  }

  #drop(error: StoreError): void {
    this.#stream = undefined;
    this.#open = undefined;
    this.#timeout = undefined;
    for (const ping of this.#pings) ping.fail(error);
  }
}
