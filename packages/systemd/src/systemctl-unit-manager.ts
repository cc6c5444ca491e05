import type { Clock, Logger } from '@flotilla/runtime';
import type { UnitName } from '@flotilla/unit';
import { linkByBus, queueJobsByBus } from './bus-calls.js';
import { type CallObserver, observeRun } from './call-observer.js';
import { HostUnits } from './host-units.js';
import { type RunCommand, runCommand } from './run-command.js';
import { Systemctl, type UnitVerb } from './systemctl.js';
import { isNothingToDo } from './systemctl-output.js';
import { UnitLoader } from './unit-loader.js';
import type { UnitFailures, UnitFileHere, UnitFileToLoad, UnitManager, UnitStatus } from './unit-manager.js';
import { UnitWatch } from './unit-watch.js';
import { UnitsDirectory } from './units-directory.js';

export interface SystemctlUnitManagerOptions {
  /** Where the agent's unit files live; made if it is missing. An absolute path. */
  readonly unitsDirectory: string;
  /** Manage the calling user's units instead of the machine's. */
  readonly user: boolean;
  /**
   * Path of the socket of the bus that this systemd is on. @default none: changes are found by looking, every 2 s
   */
  readonly busSocket?: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** How programs are run. @default as a child process */
  readonly run?: RunCommand;
  /** Told of each call of systemd. @default nobody */
  readonly onCall?: CallObserver;
  /** Where the root directory of the host is that `run` runs programs on. @default / */
  readonly hostRoot?: string;
}

/**
 * The unit manager over the `systemctl` command and, for listings, the word that something has changed, and what is to be done with
 * few units, D-Bus. Where that can't be reached, units are looked at by `systemctl` every 2 s, and at 25 ms and then ever more rarely after an
 * action or while jobs are under way.
 */
export class SystemctlUnitManager implements UnitManager {
  readonly #systemctl: Systemctl;
  readonly #directory: UnitsDirectory;
  readonly #hostUnits: HostUnits;
  readonly #loader: UnitLoader;
  readonly #watch: UnitWatch;

  constructor(options: SystemctlUnitManagerOptions) {
    const { unitsDirectory, user, busSocket, clock, log, run = runCommand, hostRoot: root = '/', onCall } = options;
    this.#systemctl = new Systemctl({ user, run: observeRun(run, { clock, onCall }) });
    this.#directory = new UnitsDirectory(unitsDirectory, { clock, log });
    const [systemctl, directory] = [this.#systemctl, this.#directory];
    this.#hostUnits = new HostUnits({ systemctl, directory, user, root });
    this.#watch = new UnitWatch({ systemctl, busSocket, clock, log, onCall });
    const list = (names: readonly UnitName[]) => this.#watch.list(names);
    const link = (paths: readonly string[]) => linkByBus(this.#watch.bus, paths);
    this.#loader = new UnitLoader({ systemctl, directory, hostUnits: this.#hostUnits, list, link, log });
  }

  async listFiles(): Promise<ReadonlyMap<UnitName, UnitFileHere>> {
    return await this.#directory.list();
  }

  async readFiles(names: readonly UnitName[]): Promise<ReadonlyMap<UnitName, Uint8Array>> {
    return await this.#directory.readAll(names);
  }

  async listUnits(names: readonly UnitName[]): Promise<ReadonlyMap<UnitName, UnitStatus>> {
    return await this.#watch.list(names);
  }

  load(files: readonly UnitFileToLoad[]): Promise<UnitFailures> {
    const names = files.map((file) => file.name);
    return this.#watch.during(names, () => this.#loader.load(files));
  }

  unload(names: readonly UnitName[]): Promise<UnitFailures> {
    return this.#watch.during(names, () => this.#loader.unload(names));
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
    this.#watch.doubt();
  }

  onChange(listener: () => void): { close(): void } {
    const onForeignFile = () => {
      // Of a file that comes or goes systemd tells nobody.
      this.#watch.doubt();
      listener();
    };
    const subscriptions = [this.#watch.onChange(listener), this.#directory.onChange(onForeignFile)];
    return {
      close: () => {
        for (const subscription of subscriptions) subscription.close();
      },
    };
  }

  close(): void {
    this.#watch.close();
  }

  #queueJobs(verb: UnitVerb, names: readonly UnitName[]): Promise<UnitFailures> {
    return this.#watch.queueJobs(names, async () => {
      const failures = await this.#hostUnits.find(names);
      const own = names.filter((name) => !failures.has(name));
      const told = verb === 'kill' ? undefined : await queueJobsByBus(this.#watch.bus, verb, own);
      const refused = await this.#systemctl.queueJobs(verb, told?.left ?? own);
      return new Map([...failures, ...(told?.failures ?? []), ...refused]);
    });
  }
}
