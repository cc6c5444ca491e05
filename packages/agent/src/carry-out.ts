import { StoreError } from '@flotilla/registry';
import type { Clock, Logger } from '@flotilla/runtime';
import type { UnitFailures, UnitFileToLoad, UnitManager } from '@flotilla/systemd';
import { hashUnitFile, parseUnitFile, type UnitName } from '@flotilla/unit';
import type { AgentObserver } from './agent-observer.js';
import type { DesiredUnit } from './desired.js';
import type { Task, TaskReason } from './reconcile.js';
import type { StartedRecords } from './started-records.js';
import type { UnitContents } from './unit-contents.js';

export interface CarryOutOptions {
  readonly unitManager: UnitManager;
  readonly started: StartedRecords;
  readonly contents: UnitContents;
  readonly clock: Clock;
  readonly log: Logger;
  /** Asked before each call that starts or stops; a machine that may count as lost does neither. */
  readonly mayAct: () => boolean;
  readonly observer?: AgentObserver | undefined;
}

const noFailures: UnitFailures = new Map();

/**
 * Carries tasks out in their order, all of a kind in one call. A unit that fails is left out of what follows.
 *
 * @returns What went wrong, by unit.
 * @throws SystemdUnreachable if systemd can't be asked.
 */
export async function carryOut(
  tasks: readonly Task[],
  desired: ReadonlyMap<UnitName, DesiredUnit>,
  options: CarryOutOptions,
): Promise<Map<UnitName, string>> {
  const failures = new Map<UnitName, string>();
  const done = new TaskRunner(desired, options);
  for (const kind of ['stop', 'unload', 'load', 'adopt', 'restart', 'start'] as const) {
    const names = tasks.filter((task) => task.kind === kind && !failures.has(task.unit)).map((task) => task.unit);
    if (names.length === 0) continue;
    if (!options.mayAct()) return failures;
    options.log.info(messages[kind], { units: names.slice(0, mostNamesLogged), count: names.length });
    for (const part of partsOf(kind, names)) {
      if (!options.mayAct()) return failures;
      const failed = await done.run(kind, part);
      options.observer?.onTasks(kind, { count: part.length, failed: failed.size });
      for (const [name, message] of failed) failures.set(name, message);
    }
  }
  for (const { unit, why } of tasks) if (!failures.has(unit)) tellRepair(options.log, unit, why);
  return failures;
}

function tellRepair(log: Logger, unit: UnitName, why: TaskReason): void {
  const repair = repairs[why];
  if (repair !== undefined) log.warn(repair, { file: unit });
}

/** What was done about files of ours that somebody else has touched. */
const repairs: Partial<Record<TaskReason, string>> = {
  'edited-here': 'a unit file was edited on this host: it was put right, and the unit left as it is',
  'file-lost': 'a unit file was removed from this host: it was put back, and the unit left as it is',
};

/** As many as one call of systemctl takes: a second or two of systemd's time, in which a machine may come to count as lost. */
const jobsPerCall = 500;

/** Files are written, linked and removed all at once, as that may cost a daemon-reload. */
function partsOf(kind: Task['kind'], names: readonly UnitName[]): (readonly UnitName[])[] {
  if (kind === 'load' || kind === 'unload') return [names];
  const parts: (readonly UnitName[])[] = [];
  for (let start = 0; start < names.length; start += jobsPerCall) parts.push(names.slice(start, start + jobsPerCall));
  return parts;
}

/** A line of the log stays one that people can read. */
const mostNamesLogged = 20;

const messages: Readonly<Record<Task['kind'], string>> = {
  stop: 'stopping units',
  unload: 'unloading units',
  load: 'loading units',
  adopt: 'adopting running units',
  restart: 'restarting units',
  start: 'starting units',
};

class TaskRunner {
  readonly #desired: ReadonlyMap<UnitName, DesiredUnit>;
  readonly #options: CarryOutOptions;

  constructor(desired: ReadonlyMap<UnitName, DesiredUnit>, options: CarryOutOptions) {
    this.#desired = desired;
    this.#options = options;
  }

  async run(kind: Task['kind'], names: readonly UnitName[]): Promise<UnitFailures> {
    const { unitManager } = this.#options;
    switch (kind) {
      case 'stop':
        return this.#forget(names, await unitManager.stop(names));
      case 'unload':
        return this.#forget(names, await unitManager.unload(names));
      case 'load':
        return await this.#load(names);
      case 'adopt':
        return this.#note(names, noFailures);
      case 'restart':
        return this.#note(names, await unitManager.restart(names));
      case 'start':
        return this.#note(names, await unitManager.start(names));
    }
  }

  async #load(names: readonly UnitName[]): Promise<UnitFailures> {
    const { unitManager } = this.#options;
    const failures = new Map<UnitName, string>();
    const files: UnitFileToLoad[] = [];
    let contents: ReadonlyMap<string, Uint8Array> = new Map();
    try {
      contents = await this.#options.contents.read(names.map((name) => this.#present(name)?.file ?? ''));
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      return new Map(names.map((name) => [name, `the unit file can't be read: ${error.message}`]));
    }
    for (const name of names) {
      const content = contents.get(this.#present(name)?.file ?? '');
      const problem = this.#findProblem(name, content);
      if (content !== undefined && problem === undefined) files.push({ name, content });
      else failures.set(name, problem ?? 'the unit file is missing in the store');
    }
    if (files.length === 0) return failures;
    for (const [name, message] of await unitManager.load(files)) failures.set(name, message);
    return failures;
  }

  /** A file with another hash than its record would be loaded again and again. */
  #findProblem(name: UnitName, content: Uint8Array | undefined): string | undefined {
    if (content === undefined) return 'the unit file is missing in the store';
    try {
      const hash = hashUnitFile(parseUnitFile(content, name));
      return hash === this.#present(name)?.hash ? undefined : `the stored unit file has hash ${hash}`;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  #note(names: readonly UnitName[], failures: UnitFailures): UnitFailures {
    for (const name of names) {
      const wish = this.#present(name);
      if (wish !== undefined && !failures.has(name)) this.#options.started.write(name, wish);
    }
    return failures;
  }

  #forget(names: readonly UnitName[], failures: UnitFailures): UnitFailures {
    for (const name of names) if (!failures.has(name)) this.#options.started.remove(name);
    return failures;
  }

  #present(name: UnitName): Extract<DesiredUnit, { kind: 'present' }> | undefined {
    const wish = this.#desired.get(name);
    return wish?.kind === 'present' ? wish : undefined;
  }
}
