import type { HeldLease, Registration } from '@flotilla/registry';
import { type Clock, type Logger, promptBackoffMs, ReconcileLoop, type Timer } from '@flotilla/runtime';
import type { UnitManager, UnitStatus } from '@flotilla/systemd';
import type { PartitionStop, UnitName } from '@flotilla/unit';
import type { ContactFile } from './contact-file.js';
import { motion } from './current.js';
import { findPartitionStops } from './partition-stops.js';
import type { StartedRecords } from './started-records.js';

export interface PartitionWatchOptions {
  readonly unitManager: UnitManager;
  readonly registration: Pick<Registration, 'lease' | 'onChange'>;
  readonly started: StartedRecords;
  readonly contactFile: ContactFile;
  readonly clock: Clock;
  readonly log: Logger;
  /** The units of this machine, by what it remembers: there may be no store to ask. */
  readonly ownUnits: () => Promise<Iterable<UnitName>>;
  /** Called when a unit has come to rest that {@link PartitionWatch.isStopping} had told of. */
  readonly onStopped: () => void;
}

/** What was killed and is not at rest may have started something after its end: it is killed again after this, and twice that. */
const killAgainMs = 500;

/** A unit that is being stopped. */
interface Stopping {
  readonly killAtMs: number;
  readonly killAgainAfterMs: number;
}

/**
 * Stops units with `OnPartition=stop` when contact with the store is lost, and kills those that take too long. Until contact is
 * back it sees to it that they stay down; a stop that is under way by then ends as it would have.
 */
export class PartitionWatch {
  readonly #options: PartitionWatchOptions;
  readonly #loop: ReconcileLoop;
  #subscription: { close(): void } | undefined;
  #lease: HeldLease | undefined;
  #changes: { close(): void } | undefined;
  #fence: Timer | undefined;
  #next: Timer | undefined;
  /** When contact counts, or counted, as lost. */
  #lostAtMs = Number.NEGATIVE_INFINITY;
  #isCut = false;
  /** How often contact was lost. */
  #losses = 0;
  /** Those of this machine's units that may not run now, while that is known. */
  #stops: ReadonlyMap<UnitName, PartitionStop> | undefined;
  readonly #stopping = new Map<UnitName, Stopping>();
  /** Those that were stopped since contact was lost. */
  readonly #stopped = new Set<UnitName>();

  constructor(options: PartitionWatchOptions) {
    this.#options = options;
    const { clock, log } = options;
    this.#loop = new ReconcileLoop({
      name: 'partition',
      body: () => this.#pass(),
      clock,
      log,
      longestBackoffMs: promptBackoffMs,
    });
  }

  /** Goes on where the process before has ended. Before the machine registers. */
  async start(): Promise<void> {
    const { registration, contactFile } = this.#options;
    this.#lostAtMs = (await contactFile.load()) ?? Number.NEGATIVE_INFINITY;
    this.#subscription = registration.onChange(() => {
      const { lease } = registration;
      if (lease === undefined) this.#noteLoss();
      else this.#follow(lease);
    });
    this.#armFence();
    this.#loop.start();
  }

  /** Whether a unit is to be left alone, as it is being stopped for the loss of contact; `onStopped` tells the end of that. */
  isStopping(name: UnitName): boolean {
    return this.#stopping.has(name);
  }

  async close(): Promise<void> {
    this.#subscription?.close();
    this.#lease = undefined;
    this.#fence?.cancel();
    await this.#loop.close();
    this.#changes?.close();
    this.#next?.cancel();
  }

  #follow(lease: HeldLease): void {
    if (this.#lease === lease) return;
    this.#lease = lease;
    lease.onRenewed(() => {
      if (this.#lease === lease) this.#noteContact(lease.freshUntilMs);
    });
    this.#noteContact(lease.freshUntilMs);
  }

  #noteContact(freshUntilMs: number): void {
    this.#lostAtMs = freshUntilMs;
    this.#options.contactFile.save(freshUntilMs);
    // From here on the lease tells.
    this.#fence?.cancel();
    if (!this.#isCut) return;
    this.#isCut = false;
    this.#stops = undefined;
    // A start that was on its way when contact was lost may have been noted after its end.
    for (const name of this.#stopped) this.#options.started.remove(name);
    this.#stopped.clear();
    this.#loop.wake();
  }

  /** The store says that the lease is gone, or the fence has passed. */
  #noteLoss(): void {
    this.#lease = undefined;
    this.#fence?.cancel();
    const lostAtMs = Math.min(this.#lostAtMs, this.#options.clock.monotonicMs());
    if (lostAtMs !== this.#lostAtMs) this.#options.contactFile.save(lostAtMs);
    this.#lostAtMs = lostAtMs;
    if (!this.#isCut) this.#losses++;
    this.#isCut = true;
    this.#loop.wake();
  }

  #armFence(): void {
    this.#fence?.cancel();
    const leftMs = this.#lostAtMs - this.#options.clock.monotonicMs();
    if (leftMs <= 0) this.#noteLoss();
    else this.#fence = this.#options.clock.setTimer(leftMs, () => this.#noteLoss());
  }

  async #pass(): Promise<void> {
    this.#next?.cancel();
    const own = this.#isCut || this.#stopping.size > 0 ? [...(await this.#options.ownUnits())] : [];
    const losses = this.#losses;
    const stops = this.#stops ?? (this.#isCut ? await findPartitionStops(own, this.#options.unitManager) : undefined);
    // Contact was back meanwhile, and lost again: by then there may be other units.
    if (losses !== this.#losses) return this.#loop.wake();
    this.#stops = this.#isCut ? stops : undefined;
    this.#listen();
    if (this.#stopping.size === 0 && (this.#stops?.size ?? 0) === 0) return;
    // Of all units, so that the unit manager goes on to tell of changes of the others.
    const statuses = await this.#options.unitManager.listUnits(own);
    await this.#stop(statuses);
    this.#settle(statuses);
    await this.#kill();
    this.#armNext();
  }

  /** Something may start such a unit while contact is lost: a start that was on its way, a timer, a person. */
  #listen(): void {
    const isNeeded = this.#stopping.size > 0 || (this.#isCut && (this.#stops?.size ?? 0) > 0);
    if (isNeeded) this.#changes ??= this.#options.unitManager.onChange(() => this.#loop.wake());
    else {
      this.#changes?.close();
      this.#changes = undefined;
    }
  }

  async #stop(statuses: ReadonlyMap<UnitName, UnitStatus>): Promise<void> {
    const { log, started, unitManager } = this.#options;
    if (!this.#isCut) return;
    const toStop: UnitName[] = [];
    for (const [name, { afterMs }] of this.#stops ?? []) {
      const moving = motionOf(statuses.get(name));
      if (moving === 'at-rest') continue;
      if (moving === 'running') toStop.push(name);
      if (this.#stopping.has(name)) continue;
      this.#stopping.set(name, { killAtMs: this.#lostAtMs + afterMs, killAgainAfterMs: killAgainMs });
    }
    if (toStop.length === 0) return;
    log.warn('contact is lost: stopping the units that may not go on without it', { units: toStop });
    // Noted first: whatever happens in between, they are to be started again once contact is back.
    for (const name of toStop) {
      started.remove(name);
      this.#stopped.add(name);
    }
    for (const [unit, error] of await unitManager.stop(toStop))
      log.error('a unit could not be stopped', { unit, error });
  }

  /** Lets go of those that are at rest, or were started by somebody now that contact is back. */
  #settle(statuses: ReadonlyMap<UnitName, UnitStatus>): void {
    const before = this.#stopping.size;
    for (const name of this.#stopping.keys()) {
      const moving = motionOf(statuses.get(name));
      if (moving === 'at-rest' || (moving === 'running' && !this.#isCut)) this.#stopping.delete(name);
    }
    if (this.#stopping.size < before) this.#options.onStopped();
  }

  async #kill(): Promise<void> {
    const { clock, log, unitManager } = this.#options;
    const nowMs = clock.monotonicMs();
    const due: UnitName[] = [];
    for (const [name, { killAtMs, killAgainAfterMs }] of this.#stopping) {
      if (killAtMs > nowMs) continue;
      due.push(name);
      this.#stopping.set(name, { killAtMs: nowMs + killAgainAfterMs, killAgainAfterMs: 2 * killAgainAfterMs });
    }
    if (due.length === 0) return;
    log.warn('units did not stop in time after contact was lost: killing them', { units: due });
    for (const [unit, error] of await unitManager.kill(due)) log.error('a unit could not be killed', { unit, error });
  }

  #armNext(): void {
    if (this.#stopping.size === 0) return;
    const dueMs = Math.min(...Array.from(this.#stopping.values(), ({ killAtMs }) => killAtMs));
    const waitMs = dueMs - this.#options.clock.monotonicMs();
    this.#next = this.#options.clock.setTimer(Math.max(0, waitMs), () => this.#loop.wake());
  }
}

function motionOf(status: UnitStatus | undefined): ReturnType<typeof motion> {
  return status === undefined ? 'at-rest' : motion(status);
}
