import type { Clock, Logger } from '@flotilla/runtime';
import type { UnitName } from '@flotilla/unit';
import { ChangePoll } from './change-poll.js';
import { type RunCommand, runCommand } from './run-command.js';
import { Systemctl } from './systemctl.js';
import { parseCreatedLinks } from './systemctl-output.js';
import type { UnitFailures, UnitFileHere, UnitFileToLoad, UnitManager, UnitStatus } from './unit-manager.js';
import { UnitsDirectory, type WrittenFile } from './units-directory.js';

export interface SystemctlUnitManagerOptions {
  /** Where the agent's unit files live; made if it is missing. An absolute path. */
  readonly unitsDirectory: string;
  /** Manage the calling user's units instead of the machine's. */
  readonly user: boolean;
  readonly clock: Clock;
  readonly log: Logger;
  /** How programs are run. @default as a child process */
  readonly run?: RunCommand;
}

const unknownStatus: UnitStatus = { load: 'not-found', active: 'inactive', sub: 'dead', job: undefined };

/** A listing of the poll that is older than this is not handed on: a caller that is woken by it asks sooner. */
const untoldMs = 100;

const restingStates: ReadonlySet<string> = new Set(['active', 'inactive', 'failed']);

/** A unit that does not exist has nothing to be disabled or forgotten. */
const isNothingToDo = (message: string) => /does not exist|not loaded|not found/i.test(message);

/**
 * The unit manager over the `systemctl` command. Changes are found by looking: every 2 s, and at 25 ms and then ever more
 * rarely after an action or while jobs are under way. One caller at a time.
 */
export class SystemctlUnitManager implements UnitManager {
  readonly #systemctl: Systemctl;
  readonly #directory: UnitsDirectory;
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #poll: ChangePoll;
  #lastListing: ReadonlyMap<UnitName, UnitStatus> = new Map();
  /** When {@link #lastListing} was made, if it was made by the poll and nobody has had it yet. */
  #untoldSinceMs = Number.NEGATIVE_INFINITY;

  constructor({ unitsDirectory, user, clock, log, run = runCommand }: SystemctlUnitManagerOptions) {
    this.#log = log;
    this.#clock = clock;
    this.#systemctl = new Systemctl({ user, log, run });
    this.#directory = new UnitsDirectory(unitsDirectory, log);
    this.#poll = new ChangePoll({ clock, look: () => this.#look() });
  }

  async listFiles(): Promise<ReadonlyMap<UnitName, UnitFileHere>> {
    return await this.#directory.list();
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
    return this.#act(() => this.#load(files));
  }

  unload(names: readonly UnitName[]): Promise<UnitFailures> {
    return this.#act(() => this.#unload(names));
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

  onChange(listener: () => void): { close(): void } {
    return this.#poll.listen(listener);
  }

  async #load(files: readonly UnitFileToLoad[]): Promise<UnitFailures> {
    const failures = new Map<UnitName, string>();
    const written: WrittenFile[] = [];
    for (const file of files) {
      try {
        written.push(await this.#directory.write(file));
      } catch (error) {
        failures.set(file.name, `the unit file can't be written: ${error instanceof Error ? error.message : error}`);
      }
    }
    const linked = new Set<string>();
    const options = {
      asArgument: (name: UnitName) => this.#directory.path(name),
      onOutput: (output: string) => {
        for (const name of parseCreatedLinks(output)) linked.add(name);
      },
    };
    for (const [verb, hasInstall] of [
      ['link', false],
      ['enable', true],
    ] as const) {
      const names = written.filter((file) => file.hasInstall === hasInstall).map((file) => file.name);
      const refused = await this.#systemctl.forAll([verb, '--runtime', '--no-reload', '--force'], names, options);
      for (const [name, message] of refused) failures.set(name, message);
    }
    if (await this.#needsReload(written, linked)) await this.#systemctl.daemonReload();
    return failures;
  }

  async #unload(names: readonly UnitName[]): Promise<UnitFailures> {
    const failures = new Map<UnitName, string>();
    if (names.length === 0) return failures;
    for (const name of names) {
      try {
        await this.#directory.remove(name);
      } catch (error) {
        failures.set(name, `the unit file can't be removed: ${error instanceof Error ? error.message : error}`);
      }
    }
    // Without its file a unit's [Install] section can't make this fail; the links are found by the unit's name.
    const refused = await this.#systemctl.forAll(['disable', '--runtime', '--no-reload'], names);
    for (const [name, message] of refused) if (!isNothingToDo(message)) failures.set(name, message);
    await this.#forget(names);
    return failures;
  }

  #queueJobs(verb: 'start' | 'stop' | 'restart', names: readonly UnitName[]): Promise<UnitFailures> {
    return this.#act(() => this.#systemctl.queueJobs(verb, names));
  }

  /** systemd 252 finds a new link by itself; it needs telling when what it holds in memory has become outdated. */
  async #needsReload(written: readonly WrittenFile[], linked: ReadonlySet<string>): Promise<boolean> {
    // Units that another unit is to pull in: that one's dependencies are read anew.
    if (written.some((file) => file.hasInstall && linked.has(file.name))) return true;
    // File and link were there and yet the unit is asked for: systemd has missed it.
    if (written.some((file) => file.was === 'same' && !linked.has(file.name))) return true;
    const changed = written.filter((file) => file.was === 'changed').map((file) => file.name);
    return changed.length > 0 && (await this.#systemctl.findLoaded(changed)).size > 0;
  }

  /** systemd drops stopped units by itself, but for failed ones and those that other units refer to. */
  async #forget(names: readonly UnitName[]): Promise<void> {
    let loaded = await this.#systemctl.findLoaded(names);
    const failed = names.filter((name) => loaded.get(name) === 'failed');
    if (failed.length > 0) {
      const refused = await this.#systemctl.forAll(['reset-failed'], failed);
      if (refused.size > 0)
        this.#log.debug('failed units were gone before they were reset', { units: [...refused.keys()] });
      loaded = await this.#systemctl.findLoaded(names);
    }
    if (loaded.size > 0) await this.#systemctl.daemonReload();
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
    this.#untoldSinceMs = Number.NEGATIVE_INFINITY;
    return this.#poll.during(action);
  }

  async #list(names: readonly UnitName[]): Promise<Map<UnitName, UnitStatus>> {
    const listed = names.length === 0 ? new Map<string, UnitStatus>() : await this.#systemctl.list(names);
    return new Map(names.map((name) => [name, listed.get(name) ?? unknownStatus]));
  }

  async #look(): Promise<{ hasChanged: boolean; isBusy: boolean }> {
    const before = this.#lastListing;
    try {
      const now = await this.#list([...before.keys()]);
      const isBusy = [...now.values()].some((status) => status.job !== undefined || !restingStates.has(status.active));
      // A listing that was made meanwhile is newer, and its caller has seen it.
      if (this.#lastListing !== before) return { hasChanged: false, isBusy };
      this.#lastListing = now;
      const hasChanged = [...now].some(([name, status]) => hasMoved(before.get(name), status));
      if (hasChanged) this.#untoldSinceMs = this.#clock.monotonicMs();
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
