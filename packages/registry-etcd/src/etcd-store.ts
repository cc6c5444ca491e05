import {
  type CompactOutcome,
  type LeaseGrant,
  type LeaseId,
  type RangeRequest,
  type RangeResult,
  type Revision,
  type Store,
  StoreError,
  type StoreHealth,
  type Transaction,
  type TransactionResult,
  type Watch,
  type WatchListener,
  type WatchRequest,
} from '@flotilla/registry';
import type { Etcd3 } from 'etcd3';
import { EtcdConnection, type EtcdStoreOptions } from './connection.js';
import { EtcdHealth } from './etcd-health.js';
import { EtcdWatch } from './etcd-watch.js';
import { KeepaliveStream } from './keepalive-stream.js';
import { Wire } from './wire.js';

/**
 * A store over an etcd v3 cluster. Connects when it is first used.
 *
 * @throws FatalError `bad-etcd-hosts` if there is no host, or http and https are mixed, or certificates are given for
 *   http.
 */
export function createEtcdStore(options: EtcdStoreOptions): Store {
  return new EtcdStore(options);
}

class EtcdStore implements Store {
  readonly #connection: EtcdConnection;
  readonly #wire: Wire;
  readonly #keepalives: KeepaliveStream;
  readonly #health: EtcdHealth;
  readonly #watches = new Set<EtcdWatch>();

  constructor(options: EtcdStoreOptions) {
    const { prefix } = options;
    this.#connection = new EtcdConnection(options);
    this.#wire = new Wire(prefix.endsWith('/') ? prefix : `${prefix}/`);
    this.#keepalives = new KeepaliveStream(this.#connection);
    this.#health = new EtcdHealth(this.#connection);
  }

  async range(request: RangeRequest): Promise<RangeResult> {
    const range = this.#wire.rangeRequest(request);
    return this.#wire.rangeResult(await this.#connection.read((client) => client.kv.range(range)));
  }

  async transact(transaction: Transaction): Promise<TransactionResult> {
    const request = this.#wire.transactionRequest(transaction);
    const call = (client: Etcd3) => client.kv.txn(request);
    const answer = onlyReads(transaction) ? this.#connection.read(call) : this.#connection.write(call);
    return this.#wire.transactionResult(transaction, await answer);
  }

  watch(request: WatchRequest, listener: WatchListener): Watch {
    const onClosed = (watch: EtcdWatch) => this.#watches.delete(watch);
    const watch = new EtcdWatch({ connection: this.#connection, wire: this.#wire, request, listener, onClosed });
    this.#watches.add(watch);
    return watch;
  }

  async grantLease(ttlSeconds: number): Promise<LeaseGrant> {
    const { ID, TTL } = await this.#connection.write((client) =>
      client.leaseClient.leaseGrant({ TTL: Math.ceil(ttlSeconds) }),
    );
    return { id: ID, ttlSeconds: Number(TTL) };
  }

  keepLeaseAlive(id: LeaseId): Promise<LeaseGrant | undefined> {
    return this.#keepalives.ping(id);
  }

  async revokeLease(id: LeaseId): Promise<void> {
    try {
      await this.#connection.write((client) => client.leaseClient.leaseRevoke({ ID: id }));
    } catch (error) {
      if (!(error instanceof StoreError && error.kind === 'no-lease')) throw error;
    }
  }

  async compact(revision: Revision): Promise<CompactOutcome> {
    try {
      await this.#connection.write((client) => client.kv.compact({ revision }));
      return 'compacted';
    } catch (error) {
      if (error instanceof StoreError && error.kind === 'compacted') return 'gone';
      throw error;
    }
  }

  readHealth(): Promise<StoreHealth> {
    return this.#health.read();
  }

  async close(): Promise<void> {
    for (const watch of this.#watches) watch.close();
    this.#keepalives.close();
    this.#connection.close();
  }
}

/** Such a transaction may be made again, on another host too, and leaves nothing in doubt. */
function onlyReads({ success, failure = [] }: Transaction): boolean {
  return [...success, ...failure].every(({ kind }) => kind === 'range');
}
