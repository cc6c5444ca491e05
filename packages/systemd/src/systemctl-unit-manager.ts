import type { Clock, Logger } from '@flotilla/runtime';
import type { UnitName } from '@flotilla/unit';
import { ChangePoll } from './change-poll.js';
import { HostUnits } from './host-units.js';
import { type RunCommand, runCommand } from './run-command.js';
import { Systemctl, type UnitVerb } from './systemctl.js';
import { isNothingToDo } from './systemctl-output.js';
import { UnitLoader } from './unit-loader.js';
import type { UnitFailures, UnitFileHere, UnitFileToLoad, UnitManager, UnitStatus } from './unit-manager.js';
import { UnitsDirectory } from './units-directory.js';

export interface SystemctlUnitManagerOptions {
  /** Where the agent's unit files live; made if it is missing. An absolute path. */
  readonly unitsDirectory: string;
  /** Manage the calling user's units instead of the machine's. */
  readonly user: boolean;
  readonly clock: Clock;
  readonly log: Logger;
  /** How programs are run. @default as a child process */
  readonly run?: RunCommand;
  /** Where the root directory of the host is that `run` runs programs on. @default / */
  readonly hostRoot?: string;
}

const unknownStatus: UnitStatus = { load: 'not-found', active: 'inactive', sub: 'dead', job: undefined };

/** A listing of the poll that is older than this is not handed on: a caller that is woken by it asks sooner. */
const untoldMs = 100;

const restingStates: ReadonlySet<string> = new Set(['active', 'inactive', 'failed']);

/**
 * The unit manager over the `systemctl` command. Changes are found by looking: every 2 s, and at 25 ms and then ever more
 * rarely after an action or while jobs are under way. One caller at a time.
 */
export class SystemctlUnitManager implements UnitManager {
  readonly #systemctl: Systemctl;
  readonly #directory: UnitsDirectory;
  readonly #hostUnits: HostUnits;
  readonly #loader: UnitLoader;
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #poll: ChangePoll;
  #lastListing: ReadonlyMap<UnitName, UnitStatus> = new Map();
  /** When {@link #lastListing} was made, if it was made by the poll and nobody has had it yet. */
  #untoldSinceMs = Number.NEGATIVE_INFINITY;
  #actions = 0;

  constructor(options: SystemctlUnitManagerOptions) {
    const { unitsDirectory, user, clock, log, run = runCommand, hostRoot: root = '/' } = options;
    this.#log = log;
    this.#clock = clock;
    this.#systemctl = new Systemctl({ user, log, run });
    this.#directory = new UnitsDirectory(unitsDirectory, log);
    const [systemctl, directory] = [this.#systemctl, this.#directory];
    this.#hostUnits = new HostUnits({ systemctl, directory, user, root });
    this.#loader = new UnitLoader({ systemctl, directory, hostUnits: this.#hostUnits, log });
    this.#poll = new ChangePoll({ clock, look: () => this.#look() });
  }

  async listFiles(): Promise<ReadonlyMap<UnitName, UnitFileHere>> {
    return await this.#directory.list();
  }

  async readFiles(names: readonly UnitName[]): Promise<ReadonlyMap<UnitName, Uint8Array>> {
    return await this.#directory.readAll(names);
  }

  async listUnits(names: readonly UnitName[]): Promise<ReadonlyMap<UnitName, UnitStatus>> {
    this.#poll.postpone();
    const listed = this.#takeUntold(names) ?? (await this.#list(names));
    this.#lastListing = listed;
    this.#untoldSinceMs = Number.NEGATIVE_INFINITY;
    this.#poll.postpone();
    return listed;
  }

  load(files: readonly UnitFileToLoad[]): Promise<UnitFailures> {
    return this.#act(() => this.#loader.load(files));
  }

  unload(names: readonly UnitName[]): Promise<UnitFailures> {
    return this.#act(() => this.#loader.unload(names));
  }

  start(names: readonly UnitName[]): Promise<UnitFailures> {
    return this.#queueJobs('start', names);
  }

  restart(names: readonly UnitName[]): Promise<UnitFailures> {
    return this.#queueJobs('restart', names);
  }

  async stop(names: readonly UnitName[]): Promise<UnitFailures> {
    const failures = await this.#queueJobs('stop', names);
    return new Map([...failures].filter(([, message]) => !isNothingToDo(message)));
  }

  async kill(names: readonly UnitName[]): Promise<UnitFailures> {
    const failures = await this.#queueJobs('kill', names);
    return new Map([...failures].filter(([, message]) => !isNothingToDo(message)));
  }

  doubt(): void {
    this.#untoldSinceMs = Number.NEGATIVE_INFINITY;
  }

  onChange(listener: () => void): { close(): void } {
    return this.#poll.listen(listener);
  }

  #queueJobs(verb: UnitVerb, names: readonly UnitName[]): Promise<UnitFailures> {
    return this.#act(async () => {
      const failures = await this.#hostUnits.find(names);
      const own = names.filter((name) => !failures.has(name));
      for (const [name, message] of await this.#systemctl.queueJobs(verb, own)) failures.set(name, message);
      return failures;
    });
  }

  /** What the poll has just seen, for the caller that it has woken by it. */
  #takeUntold(names: readonly UnitName[]): Map<UnitName, UnitStatus> | undefined {
    if (this.#clock.monotonicMs() - this.#untoldSinceMs > untoldMs) return undefined;
    const statuses = new Map<UnitName, UnitStatus>();
    for (const name of names) {
      const status = this.#lastListing.get(name);
      if (status === undefined) return undefined;
      statuses.set(name, status);
    }
    return statuses;
  }

  #act<T>(action: () => Promise<T>): Promise<T> {
    this.#actions++;
    this.#untoldSinceMs = Number.NEGATIVE_INFINITY;
    return this.#poll.during(action);
  }

  async #list(names: readonly UnitName[]): Promise<Map<UnitName, UnitStatus>> {
    const listed = names.length === 0 ? new Map<string, UnitStatus>() : await this.#systemctl.list(names);
    return new Map(names.map((name) => [name, listed.get(name) ?? unknownStatus]));
  }

  async #look(): Promise<{ hasChanged: boolean; isBusy: boolean }> {
    const before = this.#lastListing;
    const actions = this.#actions;
    try {
      const now = await this.#list([...before.keys()]);
      const isBusy = [...now.values()].some((status) => status.job !== undefined || !restingStates.has(status.active));
      // A listing that was made meanwhile is newer, and its caller has seen it.
      if (this.#lastListing !== before) return { hasChanged: false, isBusy };
      this.#lastListing = now;
      const hasChanged = [...now].some(([name, status]) => hasMoved(before.get(name), status));
      // What was seen before an action says nothing about the time after it.
      if (hasChanged && actions === this.#actions) this.#untoldSinceMs = this.#clock.monotonicMs();
      return { hasChanged, isBusy };
    } catch (error) {
      this.#log.debug('units could not be listed', { error });
      return { hasChanged: false, isBusy: false };
    }
  }
}

function hasMoved(before: UnitStatus | undefined, now: UnitStatus): boolean {
  return before?.load !== now.load || before.active !== now.active || before.sub !== now.sub || before.job !== now.job;
}
