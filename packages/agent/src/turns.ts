import type { MachineId } from '@flotilla/cluster';
import {
  encodeRecord,
  type Following,
  follow,
  type HeldLease,
  keys,
  type Operation,
  type Registration,
  ranges,
  type Store,
  StoreError,
  type UpdateRecord,
} from '@flotilla/registry';
import { type Clock, type Logger, promptBackoffMs, ReconcileLoop, type Timer } from '@flotilla/runtime';
import type { UnitName } from '@flotilla/unit';
import { SeenTurns } from './seen-turns.js';

export interface TurnsOptions {
  readonly store: Store;
  readonly machine: MachineId;
  readonly registration: Pick<Registration, 'lease'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called when this machine has got or lost a turn, or knows which ones it has. */
  readonly onChange: () => void;
}

/** What a pass wants of the turns. */
export interface TurnWishes {
  /** What is known of the turns counts as long as this stays the same. */
  readonly epoch: string;
  /** By group, the unit of this machine that is to have the turn. */
  readonly wanted: ReadonlyMap<UnitName, UnitName>;
  /** The groups whose turn this machine gives back, if it has it. */
  readonly over: ReadonlySet<UnitName>;
}

/** A turn that is given back is not tried for by all who wait in the same moment: who is first keeps off the others. */
const spreadMs = 100;

/** After the last need the keys are watched for so much longer: the next need is near, and what got no answer may come late. */
const lingerMs = 60_000;

/**
 * The turns of this machine to replace its copies of units, one key `updates/<group>` each, on the machine's lease: takes, keeps
 * and gives back, beside the agent's passes. What others have is watched only while this machine waits for it.
 */
export class Turns {
  readonly #options: TurnsOptions;
  readonly #loop: ReconcileLoop;
  readonly #seen: SeenTurns;
  #wishes: TurnWishes = { epoch: '', wanted: new Map(), over: new Set() };
  /** The lease and the epoch that {@link #seen} is of. */
  #knownOf = '';
  #isDoubted = false;
  /** The group whose turn is on its way back: nobody knows any more whether this machine has it. */
  #leaving: UnitName | undefined;
  #following: Following | undefined;
  #listensUntilMs = 0;
  #end: Timer | undefined;
  #attempt: Timer | undefined;

  constructor(options: TurnsOptions) {
    this.#options = options;
    const { machine, clock, log } = options;
    const body = () => this.#pass();
    this.#loop = new ReconcileLoop({ name: 'turns', body, clock, log, longestBackoffMs: promptBackoffMs });
    this.#seen = new SeenTurns(log, (group, now, before) => {
      if (now?.machine === machine || before?.machine === machine) options.onChange();
      if (now === undefined && this.#wishes.wanted.has(group)) this.#tryAgain();
    });
  }

  /**
   * By group, the unit of this machine that has the turn; `undefined` as long as that is not known. None of these is given
   * back before {@link want} says so.
   */
  findOwn(epoch: string): ReadonlyMap<UnitName, UnitName> | undefined {
    this.#wishes = { ...this.#wishes, over: new Set() };
    const { lease } = this.#options.registration;
    if (lease === undefined || !this.#isKnown(lease, epoch)) return undefined;
    const own = new Map<UnitName, UnitName>();
    for (const group of this.#ownGroups()) {
      const found = this.#seen.find(group);
      // What hangs on an earlier lease may end at any moment.
      if (found?.lease === lease.id && group !== this.#leaving) own.set(group, found.name);
    }
    return own;
  }

  /** Who has a group's turn, as far as is known. */
  findHolder(group: UnitName): UpdateRecord | undefined {
    return this.#seen.find(group);
  }

  want(wishes: TurnWishes): void {
    this.#wishes = wishes;
    const { lease } = this.#options.registration;
    const isIdle = wishes.wanted.size === 0 && wishes.over.size === 0;
    const isKnown = lease !== undefined && this.#isKnown(lease, wishes.epoch);
    if (!isIdle || this.#isDoubted || !isKnown) this.#loop.wake();
  }

  /** This machine may have a turn that it does not know of: it is looked for when it is next said what is wanted. */
  doubt(): void {
    this.#isDoubted = true;
  }

  async close(): Promise<void> {
    this.#attempt?.cancel();
    await this.#loop.close();
    this.#stopListening();
  }

  async #pass(): Promise<void> {
    const { lease } = this.#options.registration;
    if (lease?.isFresh() !== true || this.#wishes.epoch === '') return;
    try {
      await this.#look(lease);
      for (const group of this.#ownGroups()) if (this.#wishes.over.has(group)) await this.#giveBack(group);
      for (const group of this.#ownGroups()) await this.#keep(group, lease);
      for (const [group, name] of this.#wishes.wanted)
        if (this.#seen.find(group) === undefined) await this.#put(group, name, lease);
    } catch (error) {
      // It may have been done, or be done late: then this machine has a turn that it does not want.
      if (error instanceof StoreError && error.kind === 'uncertain') {
        this.#knownOf = '';
        this.#listen();
      }
      throw error;
    }
    if ([...this.#wishes.wanted.keys()].some((group) => this.#isElsewhere(group))) this.#listen();
  }

  async #look(lease: HeldLease): Promise<void> {
    const wanted = knownOf(lease, this.#wishes.epoch);
    if (this.#knownOf === wanted && !this.#isDoubted) return;
    const { kvs, revision } = await this.#options.store.range(ranges.updates);
    this.#isDoubted = false;
    if (this.#knownOf === wanted) return this.#seen.replace(kvs, revision);
    this.#seen.reset(kvs, revision);
    this.#knownOf = wanted;
    this.#options.onChange();
  }

  /** Takes a turn that nobody has, or puts one of this machine's on another lease. */
  async #put(group: UnitName, name: UnitName, { id }: HeldLease): Promise<void> {
    const record: UpdateRecord = { machine: this.#options.machine, name };
    await this.#write(group, { kind: 'put', key: keys.update(group), value: encodeRecord(record), lease: id });
  }

  async #giveBack(group: UnitName): Promise<void> {
    this.#leaving = group;
    try {
      await this.#write(group, { kind: 'delete', from: keys.update(group) });
    } finally {
      this.#leaving = undefined;
      // A pass that came meanwhile did not count on it, and so did not say that it is over.
      if (this.#isOwn(group) && !this.#wishes.over.has(group)) this.#options.onChange();
    }
  }

  /** What was taken on an earlier lease, which is left to run out, goes on on this one. */
  async #keep(group: UnitName, lease: HeldLease): Promise<void> {
    const turn = this.#seen.find(group);
    if (turn !== undefined && turn.lease !== lease.id) await this.#put(group, turn.name, lease);
  }

  /** Changes a key that is still as it was seen, and learns what it is by then. */
  async #write(group: UnitName, operation: Operation): Promise<void> {
    const key = keys.update(group);
    const look = { kind: 'range', from: key } as const;
    const { revision, ranges: found } = await this.#options.store.transact({
      compares: [{ key, on: 'mod-revision', equals: this.#seen.revisionOf(group) }],
      success: [operation, look],
      failure: [look],
    });
    this.#seen.note(group, found[0]?.kvs[0], revision);
  }

  #isKnown(lease: HeldLease, epoch: string): boolean {
    return this.#knownOf === knownOf(lease, epoch);
  }

  #ownGroups(): UnitName[] {
    return this.#seen.groups.filter((group) => this.#isOwn(group));
  }

  #isOwn(group: UnitName): boolean {
    return this.#seen.find(group)?.machine === this.#options.machine;
  }

  #isElsewhere(group: UnitName): boolean {
    return this.#seen.find(group) !== undefined && !this.#isOwn(group);
  }

  #tryAgain(): void {
    const { clock } = this.#options;
    this.#attempt?.cancel();
    this.#attempt = clock.setTimer(clock.random() * spreadMs, () => this.#loop.wake());
  }

  #listen(): void {
    const { store, clock, log } = this.#options;
    this.#listensUntilMs = clock.monotonicMs() + lingerMs;
    this.#end ??= clock.setTimer(lingerMs, () => this.#checkEnd());
    this.#following ??= follow({
      ...{ store, clock, log },
      ranges: [ranges.updates],
      follower: {
        onSnapshot: (kvs, revision) => this.#seen.replace(kvs, revision),
        onEvents: (events) => this.#seen.apply(events),
      },
    });
  }

  /** Who still waits has said so since, or has not been told anything: then it goes on. */
  #checkEnd(): void {
    this.#end = undefined;
    const leftMs = this.#listensUntilMs - this.#options.clock.monotonicMs();
    const isNeeded = this.#wishes.wanted.size > 0;
    if (leftMs <= 0 && !isNeeded) this.#stopListening();
    else this.#end = this.#options.clock.setTimer(isNeeded ? lingerMs : leftMs, () => this.#checkEnd());
  }

  #stopListening(): void {
    this.#end?.cancel();
    this.#end = undefined;
    this.#following?.close();
    this.#following = undefined;
    this.#seen.keepOf(this.#options.machine);
  }
}

function knownOf({ id }: HeldLease, epoch: string): string {
  return `${id} ${epoch}`;
}
