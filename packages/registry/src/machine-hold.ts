import type { MachineId } from '@flotilla/cluster';
import { FleetError } from '@flotilla/errors';
import type { Clock, Logger, Timer } from '@flotilla/runtime';
import { type Following, follow } from './follow.js';
import { keys } from './keys.js';
import { decodeRecord, type MachineRecord } from './records.js';
import type { KeyValue, LeaseId, Store } from './store.js';

/** etcd looks for leases that have run out twice a second, and takes keys away in batches. */
const leaseEndMarginMs = 2_000;

export interface MachineHoldOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly machine: MachineId;
  /** This machine's own. */
  readonly address: string;
  /** What a lease is taken to live whose record does not say it. */
  readonly ttlSeconds: number;
  /** Called when it is time to look at the record again. */
  readonly onDue: () => void;
}

/**
 * Waits for the end of a machine record that is not this process's to take over. It may have been left by this host, as it
 * was before a reboot, or be another host's with the same machine ID: that one renews its lease.
 */
export class MachineHold {
  readonly #options: MachineHoldOptions;
  #watch: Following | undefined;
  #deadline: Timer | undefined;
  #lease: LeaseId | undefined;
  #isOverdue = false;
  #reason: string | undefined;

  constructor(options: MachineHoldOptions) {
    this.#options = options;
  }

  /** Why this machine is not registered, while that is known; else `undefined`. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** This record is in the way. Returns what to throw: the log tells of it here, once, and once more if it lives on. */
  note(present: KeyValue): FleetError {
    const holder = findMachineRecord(present);
    const there = holder?.address || 'an unknown address';
    if (present.lease !== this.#lease) this.#begin(present.lease, holder);
    else if (this.#isOverdue) this.#accuse(there);
    const { machine } = this.#options;
    return new FleetError('machine-id-taken', `machine ID ${machine} is in use at ${there}`, { isReported: true });
  }

  /** Nothing is in the way, or nobody waits any more. */
  end(): void {
    this.#watch?.close();
    this.#watch = undefined;
    this.#deadline?.cancel();
    this.#lease = undefined;
    this.#reason = undefined;
  }

  #begin(lease: LeaseId | undefined, holder: MachineRecord | undefined): void {
    const { machine, address, clock, log, ttlSeconds, onDue } = this.#options;
    const seconds = holder?.ttlSeconds ?? ttlSeconds;
    const there = holder?.address;
    log.warn('waiting for an earlier record of this machine to end with its lease', {
      machine,
      here: address,
      there,
      seconds,
    });
    this.#lease = lease;
    this.#reason = `waiting for the end of an earlier record of this machine ID, at ${there || 'an unknown address'}`;
    this.#deadline?.cancel();
    this.#isOverdue = false;
    this.#deadline = clock.setTimer(seconds * 1000 + leaseEndMarginMs, () => {
      this.#isOverdue = true;
      onDue();
    });
    this.#watch ??= this.#followRecord();
  }

  /** A lease that nobody renews would have ended. */
  #accuse(there: string): void {
    const reason = `another host, at ${there}, has the same machine ID`;
    if (this.#reason === reason) return;
    this.#reason = reason;
    const { machine, address, log } = this.#options;
    log.error('another host has the same machine ID; this one stays out of the cluster until that is over', {
      machine,
      here: address,
      there,
      hint: 'Give one of them another /etc/machine-id (systemd-machine-id-setup) and an empty state directory.',
    });
  }

  #followRecord(): Following {
    const { store, clock, log, machine, onDue } = this.#options;
    return follow({
      store,
      clock,
      log,
      ranges: [{ from: keys.machine(machine) }],
      follower: {
        onSnapshot: (kvs) => {
          if (kvs.length === 0) onDue();
        },
        onEvents: (events) => {
          if (events.some(({ kind }) => kind === 'delete')) onDue();
        },
      },
    });
  }
}

/** `undefined`: the record can't be read. */
export function findMachineRecord({ key, value }: KeyValue): MachineRecord | undefined {
  try {
    return decodeRecord<MachineRecord>(key, value);
  } catch (error) {
    if (error instanceof FleetError && error.code === 'bad-record') return undefined;
    throw error;
  }
}
