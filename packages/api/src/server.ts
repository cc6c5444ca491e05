import type { Server } from 'node:http';
import type { Clock, Logger } from '@flotilla/runtime';
import type { Handle } from './api.js';
import { createHttpServer } from './http-server.js';
import { type ClientLimits, defaultLimits } from './limits.js';
import { describe, type ListenerOptions, type Listening, listen } from './listener.js';
import type { ApiRequest } from './request.js';

export interface ServeApiOptions {
  readonly handle: Handle;
  readonly listeners: readonly ListenerOptions[];
  readonly clock: Clock;
  readonly log: Logger;
  /** @default those of {@link ClientLimits} */
  readonly limits?: Partial<ClientLimits>;
  /** How long `close` waits for requests that are under way. @default 5_000 */
  readonly drainMs?: number;
}

/** An API that is being served. */
export interface ApiServer {
  /** In the order of `listeners`. */
  readonly listening: readonly Listening[];
  /**
   * Serves on these listeners from now on. What is served already, with whatever rights, goes on untouched; others are
   * closed as by `close`.
   *
   * @throws ListenError if there is one that can't be had. Then it is served where it was; only connections to a port
   *   that has gone from one address to another have ended.
   */
  setListeners(listeners: readonly ListenerOptions[]): Promise<void>;
  /** Takes no more connections, lets requests end that are under way, cuts what is left, removes socket files. */
  close(): Promise<void>;
}

const defaultDrainMs = 5_000;

/**
 * Serves the API on all `listeners`, or on none.
 *
 * @throws ListenError if there is one that can't be had.
 */
export async function serveApi(options: ServeApiOptions): Promise<ApiServer> {
  const server = new HttpApiServer(options);
  await server.setListeners(options.listeners);
  return server;
}

/** A listener that is served. */
interface Door {
  readonly where: string;
  readonly listener: ListenerOptions;
  readonly listening: Listening;
  close(): Promise<void>;
}

class HttpApiServer implements ApiServer {
  readonly #options: ServeApiOptions;
  #doors: readonly Door[] = [];

  constructor(options: ServeApiOptions) {
    this.#options = options;
  }

  get listening(): readonly Listening[] {
    return this.#doors.map(({ listening }) => listening);
  }

  async setListeners(listeners: readonly ListenerOptions[]): Promise<void> {
    const before = this.#doors;
    const isWanted = ({ where }: Door) => listeners.some((listener) => describe(listener) === where);
    const isInTheWay = (door: Door) => !isWanted(door) && listeners.some((listener) => sharesPort(listener, door));
    const closed = before.filter(isInTheWay).map((door) => door.close());
    const opened: Door[] = [];
    try {
      for (const listener of listeners)
        if (!before.some(({ where }) => where === describe(listener)))
          opened.push(await openDoor(listener, this.#options));
    } catch (error) {
      closed.push(...opened.map((door) => door.close()));
      const reopen = (door: Door) => (isInTheWay(door) ? openDoor(door.listener, this.#options) : door);
      this.#doors = await Promise.all(before.map(reopen));
      await Promise.all(closed);
      throw error;
    }
    const doors = [...before, ...opened];
    this.#doors = listeners.flatMap((listener) => doors.find(({ where }) => where === describe(listener)) ?? []);
    closed.push(...before.filter((door) => !isWanted(door) && !isInTheWay(door)).map((door) => door.close()));
    await Promise.all(closed);
  }

  async close(): Promise<void> {
    await Promise.all(this.#doors.map((door) => door.close()));
  }
}

async function openDoor(listener: ListenerOptions, options: ServeApiOptions): Promise<Door> {
  const state: { isClosing: boolean; door: ApiRequest['door'] } = {
    isClosing: false,
    door: listener.kind === 'unix' ? 'unix' : 'tcp',
  };
  const server = createHttpServer({
    ...options,
    limits: { ...defaultLimits, ...options.limits },
    findDoor: () => state.door,
    isClosing: () => state.isClosing,
  });
  const listening = await listen(server, listener);
  state.door = listening.door;
  const close = () => {
    state.isClosing = true;
    return closeServer(server, options);
  };
  return { where: describe(listener), listener, listening, close };
}

/** Whoever listens at a port on all addresses shares it with nobody. */
function sharesPort(listener: ListenerOptions, { listening }: Door): boolean {
  return listener.kind === 'tcp' && listening.door === 'tcp' && listening.address.endsWith(`:${listener.port}`);
}

async function closeServer(server: Server, { clock, drainMs = defaultDrainMs }: ServeApiOptions): Promise<void> {
  const cut = clock.setTimer(drainMs, () => server.closeAllConnections());
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
  cut.cancel();
}
