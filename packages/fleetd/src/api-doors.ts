import { readFile } from 'node:fs/promises';
import { type Alarm, type ApiServer, type Handle, type Listening, serveApi } from '@flotilla/api';
import type { Clock, Logger } from '@flotilla/runtime';
import type { Config } from './config.js';
import { fleetGroup } from './install/unit-files.js';
import { findGroupId, findListeners, openDoorAlarms } from './listeners.js';
import { runtimeDirectory } from './runtime-directory.js';

export interface ApiDoorsOptions {
  /** Descriptors of the sockets that were passed. */
  readonly sockets: readonly number[];
  readonly handle: Handle;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Where the API is served; the configuration may change that. */
export class ApiDoors {
  readonly #options: ApiDoorsOptions;
  #api: ApiServer | undefined;
  #alarms: readonly Alarm[] = [];

  constructor(options: ApiDoorsOptions) {
    this.#options = options;
  }

  /** What an operator is to know of them. */
  get alarms(): readonly Alarm[] {
    return this.#alarms;
  }

  /**
   * Serves the API where the configuration says, and nowhere else. What is served already goes on untouched.
   *
   * @throws ListenError if a socket can't be had. Then nothing changes.
   */
  async set(config: Config): Promise<void> {
    const { sockets, log } = this.#options;
    const listeners = findListeners(config, {
      sockets,
      runtimeDirectory: runtimeDirectory(config.isUserManager),
      groupId: findGroupId(await readFile('/etc/group', 'utf8').catch(() => ''), fleetGroup),
    });
    const before = this.#api?.listening ?? [];
    if (this.#api === undefined) this.#api = await serveApi({ ...this.#options, listeners });
    else await this.#api.setListeners(listeners);
    if (listeners.length === 0)
      log.warn('no sockets were passed by systemd, and listen is empty; there is no API here');
    this.#tell(this.#api.listening, before);
  }

  close(): Promise<void> {
    return this.#api?.close() ?? Promise.resolve();
  }

  #tell(listening: readonly Listening[], before: readonly Listening[]): void {
    const { log } = this.#options;
    const opened = listening.filter((each) => !before.includes(each));
    for (const { address } of opened) log.info('serving the API', { address });
    for (const { message } of openDoorAlarms(opened)) log.warn(message);
    this.#alarms = openDoorAlarms(listening);
  }
}
