import type { MachineId } from '@flotilla/cluster';
import { FleetError } from '@flotilla/errors';
import { type Clock, type Logger, promptBackoffMs, ReconcileLoop } from '@flotilla/runtime';
import { keys, ranges } from './keys.js';
import { type HeldLease, holdLease } from './lease.js';
import { findMachineRecord, MachineHold } from './machine-hold.js';
import { encodeRecord, type MachineRecord, type MemberRecord } from './records.js';
import type { LeaseStorage } from './saved-lease.js';
import { type KeyValue, type LeaseId, type Operation, type Store, StoreError } from './store.js';

export interface RegistrationOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly machine: MachineId;
  readonly record: Omit<MachineRecord, 'ttlSeconds'>;
  /** Of the machine's lease, in seconds: how long a silent machine counts as alive. */
  readonly ttlSeconds: number;
  readonly storage: LeaseStorage;
}

/** Somebody may have taken the machine's record away; nobody tells. */
const auditMs = 600_000;

/** People grep for this line. */
const fencePassed = 'Server monitor triggered: Monitor timed out before successful heartbeat';

/**
 * Keeps this machine's record in the store, on a lease: takes over the record and lease of an earlier process of the same
 * installation and boot, registers again when the lease is lost, and waits while any other record of its machine ID lives.
 */
export class Registration {
  readonly #options: RegistrationOptions;
  readonly #loop: ReconcileLoop;
  readonly #hold: MachineHold;
  readonly #listeners = new Set<() => void>();
  readonly #firstAttempt = new AbortController();
  #record: MachineRecord;
  #lease: HeldLease | undefined;
  #isRegistered = false;
  /** What {@link LeaseStorage} has, as far as this process knows. */
  #savedLease: LeaseId | undefined;
  #beforeRegistering: () => Promise<void> = () => Promise.resolve();

  constructor(options: RegistrationOptions) {
    const { record, ttlSeconds, clock, log } = options;
    this.#options = options;
    this.#record = { ...record, ttlSeconds };
    const waits = { intervalMs: auditMs, longestBackoffMs: promptBackoffMs };
    const body = () => this.#register().finally(() => this.#firstAttempt.abort());
    this.#loop = new ReconcileLoop({ name: 'registration', body, clock, log, ...waits });
    this.#hold = new MachineHold({ ...options, address: record.address, onDue: () => this.#loop.wake() });
  }

  /**
   * Begins to register, and stays registered from then on.
   *
   * @param beforeRegistering Done each time that the machine is about to be one of the cluster; if it rejects, the machine
   *   is not. What it says by {@link setFrozen} stands in the record from the first moment.
   */
  start(beforeRegistering = this.#beforeRegistering): void {
    this.#beforeRegistering = beforeRegistering;
    this.#loop.start();
  }

  /** The lease that the machine's keys hang on; `undefined` while the machine is not registered. */
  get lease(): HeldLease | undefined {
    return this.#isRegistered ? this.#lease : undefined;
  }

  /** Aborts when the first attempt to register has an answer: it is done, has to wait, or has failed. */
  get firstAttempt(): AbortSignal {
    return this.#firstAttempt.signal;
  }

  /** What the machine waits for before it registers, if something else has its ID in the store. */
  get holdReason(): string | undefined {
    return this.#hold.reason;
  }

  /** How long a silent machine counts as alive. */
  get ttlSeconds(): number {
    return this.#options.ttlSeconds;
  }

  /** Whether the machine is registered and surely still counts as alive. */
  isFresh(): boolean {
    return this.lease?.isFresh() === true;
  }

  /** Calls back when {@link lease} has become another one, or none. */
  onChange(listener: () => void): { close(): void } {
    const entry = () => listener();
    this.#listeners.add(entry);
    return { close: () => this.#listeners.delete(entry) };
  }

  /** The record was seen to go, and perhaps the lease with it: it is put again. */
  renew(): void {
    this.#loop.wake();
  }

  /** Says in the machine's record why it starts and stops nothing, or that it does. */
  setFrozen(reason: string | undefined): void {
    if (this.#record.frozen === reason) return;
    const { frozen: _, held: __, ...rest } = this.#record;
    this.#record = reason === undefined ? rest : { ...rest, frozen: reason };
    this.#loop.wake();
  }

  /** Says in the machine's record that it is told of in `held/` how many units it has. Only of a frozen one. */
  setHeld(count: number): void {
    if (this.#record.held === count || this.#record.frozen === undefined) return;
    this.#record = { ...this.#record, held: count };
    this.#loop.wake();
  }

  /** Stops keeping the lease and leaves it, with its keys, to the next process. */
  async close(): Promise<void> {
    await this.#loop.close();
    this.#hold.end();
    this.#lease?.abandon();
    this.#drop();
  }

  /**
   * Leaves the cluster: the member has left, and the lease with all its keys is gone.
   *
   * @throws StoreError if the store can't be reached, or if the machine is not registered: it has not left then.
   */
  async leave(): Promise<void> {
    await this.#loop.close();
    this.#hold.end();
    const { store, machine, storage, log } = this.#options;
    const lease = this.#lease;
    if (lease === undefined || !this.#isRegistered)
      throw new StoreError('unavailable', 'the machine is not registered, so it can not leave');
    const { present } = await this.#look();
    // One that comes late must not be taken for the word of who has registered since.
    const compare = {
      key: keys.machine(machine),
      on: 'create-revision',
      equals: present?.createRevision ?? 0,
    } as const;
    const isOwn = present === undefined || present.lease === lease.id;
    const success = [this.#memberPut('left'), { kind: 'delete', ...ranges.restartsOf(machine) } as const];
    if (!isOwn || !(await store.transact({ compares: [compare], success })).succeeded)
      throw new StoreError('unavailable', 'the machine is registered by another one, so it can not leave');
    await lease.release();
    this.#drop();
    log.info('left the cluster', { machine });
    try {
      await storage.save(undefined);
    } catch (error) {
      // The next process will find that this lease is gone.
      log.warn('the lease could not be forgotten', { error });
    }
  }

  async #register(): Promise<void> {
    const { machine, storage } = this.#options;
    const found = await this.#look();
    const own = this.#lease?.id ?? (await this.#findOwnLease(found.present));
    if (found.present !== undefined && !this.#isOwn(found.present, own)) {
      this.#lease?.abandon();
      this.#drop();
      throw this.#hold.note(found.present);
    }
    this.#hold.end();
    if (!this.#isRegistered) await this.#beforeRegistering();
    const lease = this.#lease ?? (await this.#takeLease(own));
    await this.#put(lease, found);
    if (this.#lease !== lease || this.#savedLease === lease.id) return;
    // A machine that can't note its lease has one all the same; only the next process will have to take another.
    const { boot, instance } = this.#record;
    await storage.save({ lease: lease.id, machine, boot, instance });
    this.#savedLease = lease.id;
  }

  /** What the store has of this machine. */
  async #look(): Promise<Found> {
    const { store, machine } = this.#options;
    const looks = [keys.machine(machine), keys.member(machine)].map((from) => ({ kind: 'range', from }) as const);
    const [present, member] = (await store.transact({ success: looks })).ranges.map(({ kvs }) => kvs[0]);
    return {
      present,
      hasJoined: member !== undefined && Buffer.compare(member.value, this.#memberValue('joined')) === 0,
    };
  }

  async #put(lease: HeldLease, { present, hasJoined }: Found): Promise<void> {
    const { store, machine } = this.#options;
    const key = keys.machine(machine);
    const value = encodeRecord(this.#record);
    // What an earlier process has left may do as it is: a restart needs no write, and so no room in the store.
    if (hasJoined && present?.lease === lease.id && Buffer.compare(present.value, value) === 0)
      return this.#noteRegistered(lease);
    try {
      const { succeeded } = await store.transact({
        compares: [{ key, on: 'mod-revision', equals: present?.modRevision ?? 0 }],
        success: [{ kind: 'put', key, value, lease: lease.id }, this.#memberPut('joined'), ...this.#thaw()],
      });
      if (!succeeded) throw new FleetError('registration-raced', `${key} was changed meanwhile`);
    } catch (error) {
      // No keepalive has told so yet; the next attempt gets a new lease.
      if (error instanceof StoreError && error.kind === 'no-lease') this.#lose(lease);
      throw error;
    }
    this.#noteRegistered(lease);
  }

  #noteRegistered(lease: HeldLease): void {
    const { machine, log } = this.#options;
    if (this.#lease !== lease || this.#isRegistered) return;
    this.#isRegistered = true;
    log.info('registered', { machine, lease: lease.id });
    this.#tell();
  }

  /** What nobody keeps alive is nobody's, whether it can be read or not. */
  #isOwn(present: KeyValue, own: LeaseId | undefined): boolean {
    if (present.lease === undefined || present.lease === own) return true;
    const { instance, boot } = this.#record;
    const holder = findMachineRecord(present);
    return holder?.instance === instance && holder.boot === boot;
  }

  /** The lease of an earlier process of this installation and boot, unless it was told to live for another time. */
  async #findOwnLease(present: KeyValue | undefined): Promise<LeaseId | undefined> {
    const { machine, storage } = this.#options;
    const saved = await storage.load();
    const { boot, instance, ttlSeconds } = this.#record;
    const isOwn = saved?.machine === machine && saved.boot === boot && saved.instance === instance;
    this.#savedLease = isOwn ? saved.lease : undefined;
    const holder = present && findMachineRecord(present);
    if (holder?.instance !== instance || holder.boot !== boot) return this.#savedLease;
    return (holder.ttlSeconds ?? ttlSeconds) === ttlSeconds ? present?.lease : undefined;
  }

  async #takeLease(own: LeaseId | undefined): Promise<HeldLease> {
    const { store, clock, log, ttlSeconds } = this.#options;
    const lease = await holdLease({ store, clock, log, ttlSeconds, ...(own === undefined ? {} : { id: own }) });
    this.#lease = lease;
    lease.lost.addEventListener('abort', () => {
      log.warn(fencePassed, { lease: lease.id });
      this.#lose(lease);
      this.#loop.wake();
    });
    return lease;
  }

  #lose(lease: HeldLease): void {
    if (this.#lease !== lease) return;
    lease.abandon();
    this.#drop();
  }

  #drop(): void {
    const wasRegistered = this.#isRegistered;
    this.#lease = undefined;
    this.#isRegistered = false;
    if (wasRegistered) this.#tell();
  }

  #memberPut(is: MemberRecord['is']): Operation {
    return { kind: 'put', key: keys.member(this.#options.machine), value: this.#memberValue(is) };
  }

  #memberValue(is: MemberRecord['is']): Uint8Array {
    const member: MemberRecord = { is, address: this.#record.address };
    return encodeRecord(member);
  }

  /** In one step with its record, so that nobody sees a machine that is neither frozen nor done with it. */
  #thaw(): Operation[] {
    const { machine } = this.#options;
    if (this.#record.frozen !== undefined) return [];
    return [
      { kind: 'delete', from: keys.unfreeze(machine) },
      { kind: 'delete', ...ranges.heldOf(machine) },
    ];
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

interface Found {
  /** The machine's record, whoever keeps it alive. */
  readonly present: KeyValue | undefined;
  /** It counts as a member: a leave that was broken off may have said otherwise. */
  readonly hasJoined: boolean;
}
