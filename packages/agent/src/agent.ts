import type { Machine } from '@flotilla/cluster';
import {
  type Following,
  follow,
  keys,
  type Registration,
  StatePublisher,
  type Store,
  StoreError,
} from '@flotilla/registry';
import { type Clock, jittered, type Logger, promptBackoffMs, ReconcileLoop, type Timer } from '@flotilla/runtime';
import type { UnitManager } from '@flotilla/systemd';
import type { UnitName } from '@flotilla/unit';
import { type AgentDescription, describeAgent } from './agent-description.js';
import type { AgentObserver } from './agent-observer.js';
import { AgentPass } from './agent-pass.js';
import { Allegiance } from './allegiance.js';
import { AssignmentFile } from './assignment-file.js';
import { AssignmentView } from './assignment-view.js';
import { ContactFile } from './contact-file.js';
import { hearsStore } from './hears-store.js';
import { killExclusive, stopAll, unloadAll } from './leave.js';
import { PartitionWatch } from './partition-watch.js';
import { StartedRecords } from './started-records.js';

export interface AgentOptions {
  readonly store: Store;
  readonly unitManager: UnitManager;
  /** This machine, with the metadata of its own: what was set of it in the store is laid over that. */
  readonly machine: Machine;
  readonly clock: Clock;
  readonly log: Logger;
  /** Survives a reboot; holds `assignment.json`. */
  readonly stateDirectory: string;
  /** Does not survive a reboot: which starts were carried out. `/run/fleet/started` on a host. */
  readonly startedDirectory: string;
  /** Started, closed and left by the agent. */
  readonly registration: Registration;
  /**
   * Called each time the store has said who it is, with why its orders are not taken, if so. A machine that takes none
   * should give none either: its engine must not lead. @default nothing
   */
  readonly onVerified?: (freezeReason: string | undefined) => void;
  /**
   * Called when the watch has broken: until `onVerified` is called again, it may be another store that answers.
   * @default nothing
   */
  readonly onDoubt?: () => void;
  /** Told what it does. @default nobody */
  readonly observer?: AgentObserver;
}

/** Makes its machine run what is scheduled to it. */
export interface Agent {
  /** Registers the machine and begins to work. Resolves at once; rejects if the state directory can't be read. */
  start(): Promise<void>;
  /** Whether the machine is registered and its lease surely alive. */
  isReady(): boolean;
  /** Aborts when it is known whether the machine can be registered at once. */
  readonly firstAttempt: AbortSignal;
  /** Why the machine starts and stops nothing, if so. */
  findFreezeReason(): string | undefined;
  /** What has the machine's ID in the store, if it waits for the end of that. */
  findHoldReason(): string | undefined;
  /** What it has in mind, from memory. */
  describe(): AgentDescription;
  /** Ends the work and leaves the units alone; the lease is left to the next process. */
  close(): Promise<void>;
  /** Takes the machine out of its cluster: its units are stopped, and it has left. Never rejects for the store or systemd. */
  leave(options: { readonly timeoutMs: number }): Promise<void>;
}

/** While more keeps coming, it is taken in larger helpings: each pass costs a few calls of programs, about 10 ms each. */
const spacingMs = 60;

/** A single unit is up about this long after it was told to start: then its row can be written. */
const firstSpacingMs = 8;

/** Everything that is believed is looked at anew this often. */
const auditMs = 600_000;

/** Without a store nobody waits for the units of a leaving machine, so it does not wait long either. */
const lonelyTimeoutMs = 5_000;

/** Who leaves can say so once more without harm, where a store is only slow. */
const leaveAttempts = 3;

/** The agent of one machine; does nothing before `start`. */
export function createAgent(options: AgentOptions): Agent {
  return new MachineAgent(options);
}

class MachineAgent implements Agent {
  readonly #options: AgentOptions;
  readonly #view: AssignmentView;
  readonly #publisher: StatePublisher;
  readonly #allegiance: Allegiance;
  readonly #started: StartedRecords;
  readonly #partition: PartitionWatch;
  readonly #pass: AgentPass;
  readonly #loop: ReconcileLoop;
  readonly #subscriptions: { close(): void }[] = [];
  #following: Following | undefined;
  #again: Timer | undefined;
  #audit: Timer | undefined;

  constructor(options: AgentOptions) {
    this.#options = options;
    const { store, clock, log, machine, registration, stateDirectory, startedDirectory } = options;
    this.#view = new AssignmentView(machine, log);
    this.#publisher = new StatePublisher({ store, clock, log, machine: machine.id, lease: () => this.#findLease() });
    this.#allegiance = new Allegiance({ store, log, file: new AssignmentFile(stateDirectory) });
    this.#started = new StartedRecords(startedDirectory, log);
    const { unitManager, observer, onVerified = () => {} } = options;
    const own = { view: this.#view, publisher: this.#publisher, allegiance: this.#allegiance, started: this.#started };
    const onWake = () => this.#loop.wake();
    const self = { machine: machine.id, registration };
    this.#partition = new PartitionWatch({
      ...{ unitManager, registration, clock, log },
      started: this.#started,
      contactFile: new ContactFile(startedDirectory, log),
      ownUnits: async () => (this.#allegiance.isLost ? await unitManager.listFiles() : this.#allegiance.known).keys(),
      onStopped: onWake,
    });
    const isStopping = (name: UnitName) => this.#partition.isStopping(name);
    this.#pass = new AgentPass({
      ...{ store, unitManager, clock, log, observer, onVerified, onWake, isStopping },
      ...self,
      ...own,
    });
    const body = () => this.#runPass();
    const waits = { spacingMs, firstSpacingMs, longestBackoffMs: promptBackoffMs };
    this.#loop = new ReconcileLoop({ name: 'agent', body, clock, log, ...waits });
  }

  async start(): Promise<void> {
    const { registration, unitManager } = this.#options;
    await this.#allegiance.load();
    await this.#started.read();
    await this.#partition.start();
    registration.setFrozen(this.#allegiance.freezeReason);
    this.#subscriptions.push(
      registration.onChange(() => this.#noteRegistration()),
      unitManager.onChange(() => this.#loop.wake()),
    );
    registration.start(async () => {
      // A machine that takes no orders from this store must not be given any, not even for a moment.
      await this.#allegiance.verify(this.#allegiance.known);
      registration.setFrozen(this.#allegiance.freezeReason);
    });
    this.#publisher.start();
    this.#loop.start();
    this.#following = this.#follow();
    this.#armAudit();
  }

  #follow(): Following {
    const { store, clock, log, machine, registration, onDoubt } = this.#options;
    const ownRecord = keys.machine(machine.id);
    return follow({
      store,
      clock,
      log,
      ranges: [...this.#view.ranges, { from: ownRecord, deletesOnly: true }],
      follower: {
        onSnapshot: (kvs, revision) => {
          this.#view.replace(kvs, revision);
          this.#loop.wake();
        },
        onEvents: (events, revision) => {
          this.#view.apply(events, revision);
          if (events.some((event) => event.kind === 'delete' && event.key === ownRecord)) registration.renew();
          this.#loop.wake();
        },
        onBroken: () => {
          this.#view.lose();
          onDoubt?.();
        },
      },
    });
  }

  /** Of a machine that counted as lost, units may have been given to others: what it was told before is no order. */
  #noteRegistration(): void {
    if (this.#options.registration.lease !== undefined) {
      this.#view.lose();
      this.#following?.refresh();
    }
    this.#publisher.wake();
    this.#loop.wake();
  }

  /** What the state rows hang on. A store that this machine takes no orders from gets none. */
  #findLease(): Registration['lease'] {
    return this.#allegiance.freezeReason === undefined ? this.#options.registration.lease : undefined;
  }

  isReady(): boolean {
    return this.#options.registration.isFresh();
  }

  get firstAttempt(): AbortSignal {
    return this.#options.registration.firstAttempt;
  }

  findFreezeReason(): string | undefined {
    return this.#allegiance.freezeReason;
  }

  findHoldReason(): string | undefined {
    return this.#options.registration.holdReason;
  }

  describe(): AgentDescription {
    return describeAgent({ known: this.#allegiance.known, pass: this.#pass, publisher: this.#publisher });
  }

  async close(): Promise<void> {
    await this.#partition.close();
    await this.#stopLoops();
    await this.#options.registration.close();
  }

  async leave({ timeoutMs }: { readonly timeoutMs: number }): Promise<void> {
    const { registration, unitManager, store, clock, log, machine } = this.#options;
    await this.#stopLoops();
    const canLeave = registration.isFresh() && this.#allegiance.freezeReason === undefined;
    const hearing = canLeave ? hearsStore({ store, clock, log }, machine.id) : Promise.resolve(false);
    const waiting = hearing.then((isHeard) => (isHeard ? timeoutMs : Math.min(timeoutMs, lonelyTimeoutMs)));
    // What is under way to a silent store takes its time to end.
    const closing = hearing.then((isHeard) => (isHeard ? undefined : registration.close()));
    const onStop = (names: readonly UnitName[]) => {
      for (const name of names) this.#started.remove(name);
    };
    const stopping = { unitManager, clock, log, timeoutMs: waiting, onStop };
    const stopped = await stopAll(this.#allegiance.known.keys(), stopping);
    if (stopped !== undefined) await killExclusive(stopped.stopping, { unitManager, log });
    // Until here: contact may get lost while units stop.
    await this.#partition.close();
    // Also what is still stopping is to be started again if this machine goes on with it.
    if (stopped !== undefined) for (const name of this.#allegiance.known.keys()) this.#started.remove(name);
    if ((await hearing) && (await this.#leaveCluster(leaveAttempts))) {
      // What could not be stopped or unloaded is to be by the next process, so that must know of it.
      const isUnloaded = stopped !== undefined && (await unloadAll(stopped.resting, { unitManager, log }));
      await this.#allegiance.forget(isUnloaded ? stopped.stopping : [...this.#allegiance.known.keys()]);
    } else {
      log.warn('stopped without leaving the cluster; the assignment is kept');
      await registration.close();
    }
    await closing;
  }

  async #leaveCluster(attempts: number): Promise<boolean> {
    for (let attempt = 1; attempt <= attempts; attempt++) {
      try {
        await this.#options.registration.leave();
        return true;
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        this.#options.log.warn('the store did not take the leave', { attempt, attempts, error });
      }
    }
    return false;
  }

  async #runPass(): Promise<void> {
    this.#again?.cancel();
    const againAfterMs = await this.#pass.run();
    if (againAfterMs === 0) this.#loop.wake();
    else if (againAfterMs !== undefined)
      this.#again = this.#options.clock.setTimer(againAfterMs, () => this.#loop.wake());
  }

  async #stopLoops(): Promise<void> {
    this.#audit?.cancel();
    this.#following?.close();
    for (const subscription of this.#subscriptions) subscription.close();
    await this.#loop.close();
    await this.#pass.close();
    this.#again?.cancel();
    await this.#publisher.close();
  }

  #armAudit(): void {
    this.#audit = this.#options.clock.setTimer(jittered(this.#options.clock, auditMs), () => {
      this.#pass.doubt();
      this.#loop.wake();
      this.#armAudit();
    });
  }
}
