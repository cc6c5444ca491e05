import { type Clock, jittered, type Logger, type Timer } from '@flotilla/runtime';
import type { CallObserver } from './call-observer.js';
import { DbusConnection, type DbusSignal } from './dbus-connection.js';
import { parseListUnits } from './parse-list-units.js';
import { findUnitOfPath } from './unit-path.js';
import type { Listing } from './unit-states.js';

const systemd = {
  destination: 'org.freedesktop.systemd1',
  path: '/org/freedesktop/systemd1',
  interface: 'org.freedesktop.systemd1.Manager',
} as const;

const fromSystemd = `type='signal',sender='${systemd.destination}'`;

/** Units' states: about five signals for each start or stop. */
const stateMatch = `${fromSystemd},interface='org.freedesktop.DBus.Properties',member='PropertiesChanged',path_namespace='${systemd.path}/unit',arg0='org.freedesktop.systemd1.Unit'`;

/** All that is listened to: units' states and jobs, reloads, and systemd itself going and coming (as in a reexec). */
const matches: readonly string[] = [
  stateMatch,
  `${fromSystemd},interface='${systemd.interface}',member='JobRemoved'`,
  `${fromSystemd},interface='${systemd.interface}',member='Reloading'`,
  `type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='${systemd.destination}'`,
];

/** The first and the longest wait before a lost bus is tried again. */
const firstRetryMs = 100;
const longestRetryMs = 15_000;

export interface SystemdBusOptions {
  /** Path of the bus's socket. */
  readonly socket: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called when a unit, by its own name, may have changed. */
  readonly onUnit: (name: string) => void;
  /** Called when all units may have changed and from here on signals tell what does, or when they no longer tell. */
  readonly onAll: () => void;
  readonly onCall?: CallObserver | undefined;
}

/**
 * systemd's word over D-Bus: signals of what changes, and listings. Connects by itself, again and again; what is
 * missed in between comes as one `onAll`.
 */
export class SystemdBus {
  readonly #options: SystemdBusOptions;
  /** The connection on which signals come; there is none while it is being made. */
  #open: DbusConnection | undefined;
  #connection: DbusConnection | undefined;
  #retry: Timer | undefined;
  #failures = 0;
  #isMuted = false;
  #isClosed = false;

  constructor(options: SystemdBusOptions) {
    this.#options = options;
    void this.#connect();
  }

  /** Whether every change is told. */
  get tellsAll(): boolean {
    return this.#open !== undefined && !this.#isMuted;
  }

  /** Leaves it at the ends of jobs, until {@link unmute}: of many units at once, the rest costs more than listings. */
  async mute(): Promise<void> {
    if (this.#isMuted || this.#open === undefined) return;
    this.#isMuted = true;
    try {
      await this.#open.callBus('RemoveMatch', stateMatch);
    } catch (error) {
      this.#options.log.debug('signals could not be switched off', { error });
    }
  }

  /** Tells every change again, once `onAll` has been called. */
  async unmute(): Promise<void> {
    const connection = this.#open;
    if (!this.#isMuted || connection === undefined) return;
    try {
      await connection.callBus('AddMatch', stateMatch);
    } catch (error) {
      if (this.#open === connection) this.#lose(error);
      return;
    }
    if (this.#open !== connection) return;
    this.#isMuted = false;
    this.#options.onAll();
  }

  /** systemd's word on each of `names`; `undefined` if the bus has none to give. */
  async list(names: readonly string[]): Promise<Listing | undefined> {
    const { log } = this.#options;
    try {
      const rows = await this.#open?.call({ ...systemd, member: 'ListUnitsByNames', signature: 'as', body: [names] });
      return rows === undefined ? undefined : parseListUnits(rows, names);
    } catch (error) {
      log.debug('units could not be listed over D-Bus', { error });
      return undefined;
    }
  }

  /**
   * The answer of systemd's manager to a call; `undefined` if there is no bus to ask by.
   *
   * @throws Error as {@link DbusConnection.call}
   */
  async call(member: string, signature: string, body: readonly unknown[]): Promise<{ answer: unknown } | undefined> {
    const connection = this.#open;
    return connection && { answer: await connection.call({ ...systemd, member, signature, body }) };
  }

  close(): void {
    this.#isClosed = true;
    this.#retry?.cancel();
    this.#connection?.close();
    this.#open = undefined;
  }

  async #connect(): Promise<void> {
    const { socket, clock, log, onAll, onCall } = this.#options;
    const onSignal = (signal: DbusSignal) => this.#take(signal);
    const onLost = (reason: Error) => this.#lose(reason);
    const connection = new DbusConnection({ socket, clock, onSignal, onLost, onCall });
    this.#connection = connection;
    try {
      await connection.hello();
      const calls = matches.map((rule) => connection.callBus('AddMatch', rule));
      await Promise.all([...calls, connection.call({ ...systemd, member: 'Subscribe' })]);
    } catch (error) {
      if (this.#connection === connection) this.#lose(error);
      return;
    }
    this.#open = connection;
    this.#isMuted = false;
    this.#failures = 0;
    log.info('changes of units are learned by D-Bus signals');
    onAll();
  }

  #lose(reason: unknown): void {
    this.#connection?.close();
    if (this.#isClosed) return;
    const { clock, log, onAll } = this.#options;
    const wasOpen = this.#open !== undefined;
    this.#connection = this.#open = undefined;
    if (wasOpen || this.#failures === 0)
      log.warn('D-Bus can not be reached; changes of units are looked for by systemctl', { error: reason });
    const waitMs = Math.min(firstRetryMs * 2 ** this.#failures, longestRetryMs);
    this.#failures++;
    this.#retry = clock.setTimer(jittered(clock, waitMs), () => void this.#connect());
    if (wasOpen) onAll();
  }

  #take({ path, member, body }: DbusSignal): void {
    const { onUnit, onAll } = this.#options;
    switch (member) {
      case 'PropertiesChanged': {
        const name = findUnitOfPath(path);
        if (name !== undefined) onUnit(name);
        break;
      }
      case 'JobRemoved':
        onUnit(String(body[2]));
        break;
      case 'Reloading':
        // After a reload, units may be other units.
        if (body[0] === false && this.#open !== undefined) onAll();
        break;
      case 'NameOwnerChanged':
        if (this.#open !== undefined) this.#lose(new Error('systemd has left the bus or come back to it'));
        break;
    }
  }
}
