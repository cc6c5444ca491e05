import { isDeepStrictEqual } from 'node:util';
import { HandleSwitch } from '@flotilla/api';
import { FleetError, version } from '@flotilla/errors';
import { type LeveledLogger, systemClock } from '@flotilla/runtime';
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
    let before: Prepared | undefined;
    let wish: Promise<Wish> | undefined;
    for (;;) {
      wish ??= this.#nextWish();
      const outcome = await Promise.race([this.#untilFailed(onStarted), wish]);
      if (outcome.kind === 'end') return;
      if (outcome.kind === 'change') {
        wish = undefined;
        before = this.#prepared;
        await this.#exchange(outcome.to);
      } else {
        if (before === undefined) throw outcome.error;
        this.#tellRefused(outcome.error);
        await this.#parts.doors.set(before.config);
        await this.#exchange(before);
        before = undefined;
      }
    }
  }

  #create(): Components {
    const { front, doors, figures, log } = this.#parts;
    return new Components({ ...this.#prepared, clock, log, front, figures, alarms: () => doors.alarms });
  }

  /** Starts the components. Resolves only if they can't be. */
  #untilFailed(onStarted: () => void): Promise<{ readonly kind: 'failed'; readonly error: unknown }> {
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
      const to = await this.#reload();
      if (to !== undefined) return { kind: 'change', to };
    }
  }

  /** The configuration as it is now; `undefined` if it is the same, or can't be worked with. */
  async #reload(): Promise<Prepared | undefined> {
    const { loaded, reload, log, doors } = this.#parts;
    log.info(`Reloading configuration from ${loaded.file}`);
    try {
      const { config, notes } = await reload();
      for (const { level, message } of notes) log[level](message);
      const next = await prepare(config, { clock, log });
      if (isDeepStrictEqual(next, this.#prepared)) {
        log.info('the configuration is as it was: nothing is restarted');
        return undefined;
      }
      await doors.set(config);
      if (this.#needsOthers(next)) return next;
      log.info('the new configuration counts: no component has to be restarted for it');
      this.#take(next);
      return undefined;
    } catch (error) {
      this.#tellRefused(error);
      return undefined;
    }
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
