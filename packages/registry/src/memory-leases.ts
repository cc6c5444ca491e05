import type { Clock, Timer } from '@flotilla/runtime';
import type { LeaseGrant, LeaseId } from './store.js';

interface Lease {
  readonly ttlSeconds: number;
  expiresAtMs: number;
  timer: Timer;
}

/** What etcd grants at least, with its default election timeout of 1 s: one and a half of it, in whole seconds. */
const shortestTtlSeconds = 2;

/** Beyond 2^53, as etcd's own mostly are: who takes an ID for a number is found out. */
const firstId = 7_587_850_000_000_000_000n;

/** Leases on a clock: `onEnd` is called when one runs out or is revoked. */
export class MemoryLeases {
  readonly #clock: Clock;
  readonly #onEnd: (id: LeaseId) => void;
  readonly #leases = new Map<LeaseId, Lease>();
  /** The TTL of every lease that ever was. */
  readonly #ttls = new Map<LeaseId, number>();

  constructor(clock: Clock, onEnd: (id: LeaseId) => void) {
    this.#clock = clock;
    this.#onEnd = onEnd;
  }

  has(id: LeaseId): boolean {
    return this.#leases.has(id);
  }

  grant(ttlSeconds: number): LeaseGrant {
    const id = String(firstId + BigInt(this.#ttls.size));
    return this.#add(id, Math.max(shortestTtlSeconds, Math.ceil(ttlSeconds)));
  }

  renew(id: LeaseId): LeaseGrant | undefined {
    const lease = this.#leases.get(id);
    if (lease === undefined) return undefined;
    lease.expiresAtMs = this.#clock.monotonicMs() + lease.ttlSeconds * 1000;
    return { id, ttlSeconds: lease.ttlSeconds };
  }

  revoke(id: LeaseId): void {
    const lease = this.#leases.get(id);
    if (lease === undefined) return;
    lease.timer.cancel();
    this.#leases.delete(id);
    this.#onEnd(id);
  }

  /** Sees to it that exactly these leases exist, with their whole TTL before them. */
  reset(ids: ReadonlySet<LeaseId>): void {
    this.clear();
    for (const id of ids) this.#add(id, this.#ttls.get(id) ?? shortestTtlSeconds);
  }

  /** Forgets all leases without ending them. */
  clear(): void {
    for (const { timer } of this.#leases.values()) timer.cancel();
    this.#leases.clear();
  }

  #add(id: LeaseId, ttlSeconds: number): LeaseGrant {
    const expiresAtMs = this.#clock.monotonicMs() + ttlSeconds * 1000;
    this.#ttls.set(id, ttlSeconds);
    this.#leases.set(id, { ttlSeconds, expiresAtMs, timer: this.#timerFor(id, ttlSeconds * 1000) });
    return { id, ttlSeconds };
  }

  #timerFor(id: LeaseId, delayMs: number): Timer {
    return this.#clock.setTimer(delayMs, () => {
      const lease = this.#leases.get(id);
      if (lease === undefined) return;
      const leftMs = lease.expiresAtMs - this.#clock.monotonicMs();
      if (leftMs <= 0) this.revoke(id);
      else lease.timer = this.#timerFor(id, leftMs);
    });
  }
}
