import { isDeepStrictEqual } from 'node:util';
import { HandleSwitch } from '@flotilla/api';
import { FleetError, version } from '@flotilla/errors';
import { aborted, type LeveledLogger, systemClock } from '@flotilla/runtime';
import { takeInheritedSockets } from './activation.js';
import { ApiDoors } from './api-doors.js';
import { Components, createAbsentApi, firstAnswerMs } from './components.js';
import type { LoadedConfig } from './load-config.js';
import { Figures } from './metrics/figures.js';
import { type Prepared, prepare } from './prepare.js';
import type { Signals } from './signals.js';
import { meansToLeave } from './stop-job.js';
import { Supervisor, takeSupervision } from './supervision.js';

export interface DaemonOptions {
  readonly loaded: LoadedConfig;
  /** Reads the configuration again. */
  readonly reload: () => Promise<LoadedConfig>;
  readonly signals: Signals;
  readonly log: LeveledLogger;
}

const clock = systemClock;

/** Runs fleetd until it is asked to end. Rejects, before anything is started, if the machine or the options don't allow it. */
export async function runDaemon(options: DaemonOptions): Promise<void> {
  const { loaded, signals, log } = options;
  log.info(`Starting fleetd version ${version}`);
  const sockets = takeInheritedSockets(process.env, process.pid);
  const supervision = takeSupervision(process.env, process.pid);
  const prepared = await prepare(loaded.config, { clock, log });
  const figures = new Figures({ clock });
  const front = new HandleSwitch({ handle: createAbsentApi({ clock, log, figures }), clock });
  front.hold(firstAnswerMs);
  const doors = new ApiDoors({ sockets, handle: front.handle, clock, log });
  await doors.set(loaded.config);
  const daemon = new Daemon({ ...options, front, doors, figures }, prepared);
  signals.onDump(() => daemon.components.dump());
  const supervisor = new Supervisor({ supervision, clock, log, status: () => daemon.components.describeStatus() });
  // Who starts fleetd where it is told of no etcd does not have to wait until none has answered for long enough.
  if (!loaded.config.etcd.isTold) void supervisor.ready();
  await daemon.run(() => void supervisor.ready());

  const { components, config } = daemon;
  const isLeaving = await meansToLeave(config.onStop, config.isUserManager);
  await supervisor.stopping(isLeaving ? config.leaveTimeoutMs : 0);
  await doors.close();
  if (isLeaving) await components.leave(config.leaveTimeoutMs);
  else await components.close();
  await components.closeStore();
  supervisor.close();
}

interface DaemonParts extends DaemonOptions {
  readonly front: HandleSwitch;
  readonly doors: ApiDoors;
  readonly figures: Figures;
}

type Failure = { readonly kind: 'failed'; readonly error: unknown };
type Wish = { readonly kind: 'end' } | { readonly kind: 'change'; readonly to: Prepared };

/** Runs components, and others in their place when the configuration has become another one. */
class Daemon {
  readonly #parts: DaemonParts;
  #prepared: Prepared;
  #components: Components;

  constructor(parts: DaemonParts, prepared: Prepared) {
    this.#parts = parts;
    this.#prepared = prepared;
    this.#components = this.#create();
  }

  /** Those that run now, or are the last that ran. */
  get components(): Components {
    return this.#components;
  }

  /** What they are made of. */
  get config() {
    return this.#prepared.config;
  }

  /**
   * Resolves when the process is to end, with components that run.
   *
   * @param onStarted Called when components have been started.
   */
  async run(onStarted: () => void): Promise<void> {
    // Reading may hang, on a file system that is away: that is no reason not to end.
    const end = aborted(this.#parts.signals.end).then(() => ({ kind: 'end' }) as const);
    let before: Prepared | undefined;
    let failure: Promise<Failure> | undefined;
    let wish: Promise<Wish> | undefined;
    for (;;) {
      failure ??= this.#untilFailed(onStarted);
      wish ??= this.#nextWish();
      const outcome = await Promise.race([failure, wish, end]);
      if (outcome.kind === 'end') return;
      if (outcome.kind === 'change') {
        wish = undefined;
        if (!(await this.#takeUp(outcome.to))) continue;
        before = this.#prepared;
        await this.#exchange(outcome.to);
      } else {
        if (before === undefined) throw outcome.error;
        this.#tellRefused(outcome.error);
        // Another process may have one of its sockets by now.
        await this.#parts.doors.set(before.config).catch((error: unknown) => this.#tellRefused(error));
        await this.#exchange(before);
        before = undefined;
      }
      failure = undefined;
    }
  }

  #create(): Components {
    const { front, doors, figures, log } = this.#parts;
    return new Components({ ...this.#prepared, clock, log, front, figures, alarms: () => doors.alarms });
  }

  /** Starts the components. Resolves only if they can't be. */
  #untilFailed(onStarted: () => void): Promise<Failure> {
    const { signals } = this.#parts;
    return new Promise((resolve) => {
      this.#components.start().then(
        () => {
          if (!signals.end.aborted) onStarted();
        },
        (error: unknown) => resolve({ kind: 'failed', error }),
      );
    });
  }

  async #exchange(next: Prepared): Promise<void> {
    const { front, figures, log } = this.#parts;
    const former = this.#components;
    log.info('Restarting server components');
    await former.close();
    front.hold(firstAnswerMs);
    // What is under way is answered from the store that it began with.
    void front.exchange(createAbsentApi({ clock, log, figures })).then(() => former.closeStore());
    this.#take(next);
    this.#components = this.#create();
  }

  async #nextWish(): Promise<Wish> {
    for (;;) {
      if ((await this.#parts.signals.next()) === 'end') return { kind: 'end' };
      const to = await this.#read();
      if (to !== undefined) return { kind: 'change', to };
    }
  }

  /** The configuration as it is now; `undefined` if it can't be worked with. */
  async #read(): Promise<Prepared | undefined> {
    const { loaded, reload, log } = this.#parts;
    log.info(`Reloading configuration from ${loaded.file}`);
    try {
      const { config, notes } = await reload();
      for (const { level, message } of notes) log[level](message);
      return await prepare(config, { clock, log });
    } catch (error) {
      this.#tellRefused(error);
      return undefined;
    }
  }

  /** @returns Whether it takes other components; all else has been seen to. */
  async #takeUp(next: Prepared): Promise<boolean> {
    const { log, doors } = this.#parts;
    if (isDeepStrictEqual(next, this.#prepared)) {
      log.info('the configuration is as it was: nothing is restarted');
      return false;
    }
    try {
      await doors.set(next.config);
    } catch (error) {
      this.#tellRefused(error);
      return false;
    }
    if (this.#needsOthers(next)) return true;
    log.info('the new configuration counts: no component has to be restarted for it');
    this.#take(next);
    return false;
  }

  #take(next: Prepared): void {
    this.#parts.log.setLevel(next.config.logLevel);
    this.#prepared = next;
  }

  /** Whether something is new that components are made of. */
  #needsOthers(next: Prepared): boolean {
    const { logLevel, listen, onStop, leaveTimeoutMs } = this.#prepared.config;
    const others = { ...next, config: { ...next.config, logLevel, listen, onStop, leaveTimeoutMs } };
    return !isDeepStrictEqual(others, this.#prepared);
  }

  #tellRefused(error: unknown): void {
    const { log, loaded } = this.#parts;
    const hint = error instanceof FleetError && error.hint !== undefined ? { hint: error.hint } : {};
    const message = 'this configuration can not be used; fleetd goes on with the one before';
    log.error(message, { file: loaded.file, error, ...hint });
  }
}
