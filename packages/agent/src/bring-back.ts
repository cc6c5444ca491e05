import type { Registration } from '@flotilla/registry';
import type { Clock, Logger, Timer } from '@flotilla/runtime';
import type { UnitFileHere, UnitFileToLoad, UnitManager, UnitStatus } from '@flotilla/systemd';
import type { UnitName } from '@flotilla/unit';
import type { Allegiance } from './allegiance.js';
import { motion, type StartedRecord } from './current.js';
import type { KnownUnit } from './desired.js';
import { findPartitionStops } from './partition-stops.js';
import type { StartedRecords } from './started-records.js';
import { TaskFailures } from './task-failures.js';

/** What is on this machine, each by unit name. */
export interface BringBackSources {
  readonly known: ReadonlyMap<UnitName, KnownUnit>;
  readonly files: ReadonlyMap<UnitName, UnitFileHere>;
  readonly started: ReadonlyMap<UnitName, StartedRecord>;
}

/**
 * The units that were to be started by the last orders that this machine knows, and have not been started since it booted:
 * those that it has with the content of that order, and, `unable`, the others. In name order.
 */
export function unitsToBringBack({ known, files, started }: BringBackSources): {
  readonly able: readonly UnitName[];
  readonly unable: readonly UnitName[];
} {
  const missing = [...known].filter(([name, { isLaunched }]) => isLaunched && !started.has(name));
  const isAble = new Map(missing.map(([name, { hash }]) => [name, files.get(name)?.hash === hash]));
  const names = [...isAble.keys()].sort();
  return { able: names.filter((name) => isAble.get(name)), unable: names.filter((name) => !isAble.get(name)) };
}

export interface BringBackOptions {
  readonly unitManager: UnitManager;
  readonly registration: Registration;
  readonly allegiance: Allegiance;
  readonly started: StartedRecords;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called when {@link BringBack.run} has something to do. */
  readonly onWake: () => void;
}

/** As many as one call of systemctl takes. */
const unitsPerRun = 500;

/** A line of the log stays one that people can read. */
const mostNamesLogged = 20;

/**
 * Starts what this machine was to run before it booted, if no store says anything for as long as a silent machine counts as
 * alive: sooner, a host that was away for days would run for a moment what has long been elsewhere. Units that must not run
 * twice (`OnPartition=stop`) wait for the store. Over with the first registration.
 */
export class BringBack {
  readonly #options: BringBackOptions;
  readonly #failures: TaskFailures;
  /** Started without knowing by which order, so that there is no record of it. */
  readonly #unrecorded = new Set<UnitName>();
  readonly #contact: { close(): void };
  #timer: Timer | undefined;
  #hasToldUnable = false;
  #isDue = false;
  #isOver = false;

  constructor(options: BringBackOptions) {
    this.#options = options;
    this.#failures = new TaskFailures(options.clock);
    this.#contact = options.registration.onChange(() => this.end());
  }

  /** To be called whenever the machine takes no orders. Returns after how many milliseconds to call again. */
  async run(): Promise<number | undefined> {
    this.#timer ??= this.#arm();
    if (!this.#mayAct()) return undefined;
    const names = await this.#find();
    const held = this.#failures.held();
    const due = names.filter((name) => !held.has(name)).slice(0, unitsPerRun);
    if (due.length > 0) {
      await this.#startUnits(due);
      return 0;
    }
    if (names.length === 0) this.end();
    return this.#failures.nextRetryMs();
  }

  /** From now on other orders count, or none. */
  end(): void {
    this.#isOver = true;
    this.#timer?.cancel();
    this.#contact.close();
  }

  #arm(): Timer {
    const { clock, registration, onWake } = this.#options;
    return clock.setTimer(registration.ttlSeconds * 1000, () => {
      this.#isDue = true;
      onWake();
    });
  }

  /** A store that answers, but has another machine or another cluster there, is no reason to act on one's own. */
  #mayAct(): boolean {
    const { registration, allegiance } = this.#options;
    const isLeftAlone = registration.holdReason === undefined && allegiance.freezeReason === undefined;
    return this.#isDue && !this.#isOver && isLeftAlone;
  }

  async #find(): Promise<UnitName[]> {
    const { unitManager, allegiance, started: records } = this.#options;
    const { known } = allegiance;
    const [files, started] = [await unitManager.listFiles(), await records.read()];
    const { able, unable } = unitsToBringBack({ known, files, started });
    this.#tellUnable(unable);
    const missing = able.filter((name) => !this.#unrecorded.has(name));
    if (missing.length === 0) return [];
    // They may run elsewhere by now, and must not run twice.
    const confined = await findPartitionStops(missing, unitManager);
    const statuses = await unitManager.listUnits(missing);
    return missing.filter((name) => !confined.has(name) && isAtRest(statuses.get(name)));
  }

  async #startUnits(names: readonly UnitName[]): Promise<void> {
    const { unitManager, allegiance, started, log } = this.#options;
    const { known } = allegiance;
    log.warn('no contact with etcd since fleetd started: starting units as they were ordered last', {
      units: names.slice(0, mostNamesLogged),
      count: names.length,
    });
    const contents = await unitManager.readFiles(names);
    const files: UnitFileToLoad[] = [];
    for (const [name, content] of contents) files.push({ name, content });
    if (!this.#mayAct()) return;
    // Links to them are gone with the boot.
    const failures = new Map(await unitManager.load(files));
    for (const name of names) if (!contents.has(name)) failures.set(name, 'its file can not be read');
    const loaded = names.filter((name) => contents.has(name) && !failures.has(name));
    if (!this.#mayAct()) return;
    for (const [name, message] of await unitManager.start(loaded)) failures.set(name, message);
    for (const name of loaded) if (!failures.has(name)) this.#note(name, known.get(name), started);
    for (const [unit, message] of failures) {
      this.#failures.add(unit, { message, wish: '' });
      log.warn('a unit could not be started as it was ordered last; it is tried again', { unit, error: message });
    }
  }

  #tellUnable(names: readonly UnitName[]): void {
    if (names.length === 0 || this.#hasToldUnable) return;
    this.#hasToldUnable = true;
    this.#options.log.warn('units wait for etcd: their files here are missing, or not those that were ordered', {
      units: names.slice(0, mostNamesLogged),
      count: names.length,
    });
  }

  #note(name: UnitName, unit: KnownUnit | undefined, started: StartedRecords): void {
    this.#failures.clear(name);
    if (unit?.order === undefined) this.#unrecorded.add(name);
    else started.write(name, { uid: unit.uid, order: unit.order, hash: unit.hash });
  }
}

function isAtRest(status: UnitStatus | undefined): boolean {
  return status === undefined || motion(status) === 'at-rest';
}
