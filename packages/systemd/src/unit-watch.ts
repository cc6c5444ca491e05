import type { Clock, Logger } from '@flotilla/runtime';
import { type UnitName, unitNameParts } from '@flotilla/unit';
import type { CallObserver } from './call-observer.js';
import { ChangePoll } from './change-poll.js';
import type { Systemctl } from './systemctl.js';
import { SystemdBus } from './systemd-bus.js';
import type { UnitStatus } from './unit-manager.js';
import { type Listing, UnitStates } from './unit-states.js';

export interface UnitWatchOptions {
  readonly systemctl: Systemctl;
  /** Path of the bus's socket. @default none: changes are looked for */
  readonly busSocket?: string | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onCall?: CallObserver | undefined;
}

const unknownStatus: UnitStatus = { load: 'not-found', active: 'inactive', sub: 'dead', job: undefined };

/** What a look without signals has found is not asked again for this long: a caller that is woken by it asks sooner. */
const trustedMs = 100;

/** As many as one message or command line holds easily: with names of 256 bytes, 1 MB. */
const largestListing = 4000;

/** Of more units than these that start or stop at once, signals cost more than listings. */
const largestHeard = 50;

const restingStates: ReadonlySet<string> = new Set(['active', 'inactive', 'failed']);

/**
 * What is known of units' states, and the word that they may have changed. With D-Bus, signals tell which units to ask
 * systemd about; without, and while many start or stop at once, all are looked at again and again.
 */
export class UnitWatch {
  readonly #options: UnitWatchOptions;
  readonly #states = new UnitStates();
  readonly #listeners = new Set<() => void>();
  readonly #poll: ChangePoll;
  /** What systemd can be asked and told by, if there is a socket for it. */
  readonly bus: SystemdBus | undefined;
  /** Units of large batches, as long as their jobs may be under way. */
  readonly #batch = new Set<string>();
  #lookedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: UnitWatchOptions) {
    this.#options = options;
    const { clock, log, busSocket, onCall } = options;
    this.#poll = new ChangePoll({ clock, look: () => this.#look(), onChange: () => this.#tell() });
    if (busSocket === undefined) return;
    this.bus = new SystemdBus({
      socket: busSocket,
      clock,
      log,
      onCall,
      onUnit: (name) => {
        if (this.#batch.delete(name) && this.#batch.size === 0) this.#poll.hurry();
        if (this.#states.doubt([name]) && this.#hasSignals) this.#tell();
      },
      onAll: () => {
        if (this.#hasSignals) this.#batch.clear();
        this.#setPoll();
        this.#states.doubtAll();
        this.#tell();
      },
    });
  }

  /** The state of each of `names`: from memory where that is certain, else by systemd's word. */
  async list(names: readonly UnitName[]): Promise<Map<UnitName, UnitStatus>> {
    this.#poll.postpone();
    const known = new Map<UnitName, UnitStatus>();
    const isTrusted = this.#hasSignals || this.#options.clock.monotonicMs() - this.#lookedAtMs <= trustedMs;
    for (const name of names) {
      // systemd does not answer a listing with a template in it.
      const status = unitNameParts(name).isTemplate ? unknownStatus : isTrusted ? this.#states.find(name) : undefined;
      if (status !== undefined) known.set(name, status);
    }
    const { statuses } = await this.#ask(names.filter((name) => !known.has(name)));
    this.#poll.postpone();
    return new Map(names.map((name) => [name, known.get(name) ?? statuses.get(name) ?? unknownStatus]));
  }

  /** Runs an action on units. What it does to them is seen by the next listing. */
  async during<T>(names: readonly UnitName[], action: () => Promise<T>): Promise<T> {
    const doubt = () => {
      this.#lookedAtMs = Number.NEGATIVE_INFINITY;
      this.#states.doubt(names);
    };
    // An action may itself ask for states.
    doubt();
    try {
      return await this.#poll.during(action);
    } finally {
      doubt();
    }
  }

  /** Like {@link during}, for an action that gives each unit a job. */
  async queueJobs<T>(names: readonly UnitName[], action: () => Promise<T>): Promise<T> {
    if (names.length > largestHeard) {
      for (const name of names) this.#batch.add(name);
      void this.bus?.mute();
      this.#setPoll();
    }
    return await this.during(names, action);
  }

  /** As in `UnitManager`. */
  doubt(): void {
    this.#lookedAtMs = Number.NEGATIVE_INFINITY;
    this.#states.doubtAll();
  }

  onChange(listener: () => void): { close(): void } {
    const entry = () => listener();
    this.#listeners.add(entry);
    this.#setPoll();
    return {
      close: () => {
        this.#listeners.delete(entry);
        this.#setPoll();
      },
    };
  }

  close(): void {
    this.#listeners.clear();
    this.#setPoll();
    this.bus?.close();
  }

  get #hasSignals(): boolean {
    return this.bus?.tellsAll === true;
  }

  #setPoll(): void {
    this.#poll.set(this.#listeners.size > 0 && !this.#hasSignals ? 'on' : 'off');
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  async #ask(
    names: readonly string[],
  ): Promise<{ readonly statuses: ReadonlyMap<string, UnitStatus>; readonly hasChanged: boolean }> {
    const statuses = new Map<string, UnitStatus>();
    let hasChanged = false;
    for (let start = 0; start < names.length; start += largestListing) {
      const part = names.slice(start, start + largestListing);
      const askedAt = this.#states.ask(part);
      const listing: Listing = (await this.bus?.list(part)) ?? {
        statuses: await this.#options.systemctl.list(part),
        aliases: new Map(),
      };
      // What systemd leaves out, it does not know.
      const complete = new Map(part.map((name) => [name, listing.statuses.get(name) ?? unknownStatus]));
      if (this.#states.learn({ ...listing, statuses: complete }, askedAt)) hasChanged = true;
      for (const [name, status] of complete) statuses.set(name, status);
    }
    return { statuses, hasChanged };
  }

  async #look(): Promise<{ hasChanged: boolean; isBusy: boolean }> {
    try {
      const { statuses, hasChanged } = await this.#ask([...this.#states.names]);
      this.#lookedAtMs = this.#options.clock.monotonicMs();
      const busy = [...statuses.values()].filter(
        (status) => status.job !== undefined || !restingStates.has(status.active),
      );
      if (busy.length <= largestHeard && !this.#poll.isHeld) {
        this.#batch.clear();
        void this.bus?.unmute();
      }
      return { hasChanged, isBusy: busy.length > 0 };
    } catch (error) {
      this.#options.log.debug('units could not be listed', { error });
      return { hasChanged: false, isBusy: false };
    }
  }
}
