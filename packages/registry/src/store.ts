import { FleetError, type FleetErrorOptions } from '@flotilla/errors';
import type { StoreHealth, StoreRefusal } from './store-health.js';
import type { Witness } from './witness.js';

/**
 * The port under the registry: ordered keys with revisions, transactions, watches and leases, as etcd v3 has them.
 * Keys are relative to the cluster's prefix. `EtcdStore` (`@flotilla/registry-etcd`) and {@link MemoryStore} pass one
 * contract suite.
 */
export interface Store {
  /** Reads keys in order. Throws `compacted` if `revision` is gone. */
  range(request: RangeRequest): Promise<RangeResult>;
  /** All of `success` if every compare holds, else all of `failure`, at one revision. Never retried by the store if it writes. */
  transact(transaction: Transaction): Promise<TransactionResult>;
  /** Follows keys from a revision on. Survives lost connections without losing or doubling an event. */
  watch(request: WatchRequest, listener: WatchListener): Watch;
  /** Makes a lease; etcd may grant more than was asked for. */
  grantLease(ttlSeconds: number): Promise<LeaseGrant>;
  /** Renews a lease. `undefined` if it does not exist (any more). */
  keepLeaseAlive(id: LeaseId): Promise<LeaseGrant | undefined>;
  /** Ends a lease and deletes its keys. Harmless if it does not exist. */
  revokeLease(id: LeaseId): Promise<void>;
  /** Forgets what was overwritten or deleted before `revision`. `gone`: that was forgotten already. */
  compact(revision: Revision): Promise<CompactOutcome>;
  /** Looks at how the store is doing. Rejects only if the store is closed: who does not answer is part of the result. */
  readHealth(): Promise<StoreHealth>;
  /** Releases connections; pending calls reject, watches fall silent. */
  close(): Promise<void>;
}

/** A point in the store's history. etcd's int64, here a number: at 100,000 transactions/s 2^53 lasts 2,800 years. */
export type Revision = number;

export type CompactOutcome = 'compacted' | 'gone';

/** An etcd lease ID in decimal: it needs all 64 bits. */
export type LeaseId = string;

export interface LeaseGrant {
  readonly id: LeaseId;
  /** What etcd granted, in seconds. */
  readonly ttlSeconds: number;
}

export interface KeyValue {
  readonly key: string;
  /** Empty when only keys were asked for. */
  readonly value: Uint8Array;
  /** Revision of the put that made the key; a key that was deleted and put again has a new one. */
  readonly createRevision: Revision;
  /** Revision of the last put. */
  readonly modRevision: Revision;
  /** The lease that the key dies with. */
  readonly lease: LeaseId | undefined;
}

/** A key (`to` absent), or all keys in [`from`, `to`). {@link prefixRange} makes the latter from a prefix. */
export interface KeyRange {
  readonly from: string;
  readonly to?: string;
}

export interface RangeRequest extends KeyRange {
  /** At most this many keys. @default all */
  readonly limit?: number;
  /** Read as of this revision. @default the newest */
  readonly revision?: Revision;
  /** Leave the values out. @default false */
  readonly keysOnly?: boolean;
}

export interface RangeResult {
  /** In key order. */
  readonly kvs: readonly KeyValue[];
  /** The store's newest revision when it answered (not `request.revision`). */
  readonly revision: Revision;
  /** Whether `limit` cut the answer short. */
  readonly hasMore: boolean;
}

/** What must hold for a transaction; 0 means that the key does not exist. */
export interface Compare {
  readonly key: string;
  /** All keys in [`key`, `to`) are meant; for 0, none of them exists. @default `key` alone */
  readonly to?: string;
  readonly on: 'create-revision' | 'mod-revision';
  readonly equals: Revision;
}

export type Operation =
  | { readonly kind: 'put'; readonly key: string; readonly value: Uint8Array; readonly lease?: LeaseId }
  | ({ readonly kind: 'delete' } & KeyRange)
  | ({ readonly kind: 'range' } & RangeRequest);

/** etcd's default limit on compares and, counted separately, on operations of a transaction (`--max-txn-ops`). */
export const maxTransactionSize = 128;

export interface Transaction {
  readonly compares?: readonly Compare[];
  /** Done if every compare holds. */
  readonly success: readonly Operation[];
  /** Done if one does not. @default nothing */
  readonly failure?: readonly Operation[];
}

export interface TransactionResult {
  /** Whether the compares held. */
  readonly succeeded: boolean;
  readonly revision: Revision;
  /** The answers of the branch's `range` operations, in their order. */
  readonly ranges: readonly RangeResult[];
}

export interface WatchRange extends KeyRange {
  /** Leave puts out. @default false */
  readonly deletesOnly?: boolean;
}

export interface WatchRequest {
  readonly ranges: readonly WatchRange[];
  /** The first revision to report; usually that of a snapshot plus one. */
  readonly fromRevision: Revision;
  /** What was seen before, in that snapshot for one: a store that never told it went back. */
  readonly witness?: Witness;
}

export type WatchEvent =
  | { readonly kind: 'put'; readonly kv: KeyValue }
  | { readonly kind: 'delete'; readonly key: string; readonly modRevision: Revision };

/**
 * Why a watch can't go on without a new snapshot. `compacted`: the history is gone. `went-back`: the store is at a
 * lower revision than was seen, or has another past. `foreign`: another cluster answers. `refused`: no permission, or the like.
 */
export type WatchBreak = 'compacted' | 'went-back' | 'foreign' | 'refused';

/** Callbacks must not throw. Nothing is called after {@link Watch.close} or `onBroken`. */
export interface WatchListener {
  /**
   * Events of one or more whole revisions, in order, of one of the ranges. Events of one revision that fall into
   * different ranges may come in separate calls, and `revision` (the last one told here) may repeat.
   */
  onEvents(events: readonly WatchEvent[], revision: Revision): void;
  /** The watch is over: list again. */
  onBroken(reason: WatchBreak): void;
}

export interface Watch {
  close(): void;
}

/**
 * - `unavailable`: not reached, or refused before anything was done; nothing was written.
 * - `uncertain`: no answer; the call may or may not have taken effect.
 * - `refused`: reached and turned down: permission, size, disk quota.
 * - `no-lease`: the lease that a put names does not exist.
 * - `compacted`: the revision asked for is no longer kept.
 */
export type StoreErrorCode = 'unavailable' | 'uncertain' | 'refused' | 'no-lease' | 'compacted';

export interface StoreErrorOptions extends FleetErrorOptions {
  readonly refusal?: StoreRefusal;
}

/** What a {@link Store} throws; `code` is `store-` and the kind. */
export class StoreError extends FleetError {
  readonly kind: StoreErrorCode;
  /** The alarm because of which the store takes no writes, if that is why it refused this one. */
  readonly refusal: StoreRefusal | undefined;

  constructor(kind: StoreErrorCode, message: string, options: StoreErrorOptions = {}) {
    super(`store-${kind}`, message, options);
    this.kind = kind;
    this.refusal = options.refusal;
  }
}

/** All keys that begin with `prefix`, which ends in an ASCII character below 0x7f. */
export function prefixRange(prefix: string): Required<KeyRange> {
  const last = prefix.charCodeAt(prefix.length - 1);
  return { from: prefix, to: prefix.slice(0, -1) + String.fromCharCode(last + 1) };
}
