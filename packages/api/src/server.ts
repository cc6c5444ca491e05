import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Clock, Logger } from '@flotilla/runtime';
import type { Handle } from './api.js';
import { type ListenerOptions, type Listening, listen } from './listener.js';
import { readBody } from './read-body.js';
import type { ApiRequest, ApiResponse } from './request.js';

export interface ServeApiOptions {
  readonly handle: Handle;
  readonly listeners: readonly ListenerOptions[];
  readonly clock: Clock;
  readonly log: Logger;
  /** Larger bodies are answered with 413. @default 4 MiB */
  readonly largestBody?: number;
  /** How long `close` waits for requests that are under way. @default 5_000 */
  readonly drainMs?: number;
}

/** An API that is being served. */
export interface ApiServer {
  /** In the order of `listeners`. */
  readonly listening: readonly Listening[];
  /**
   * Serves on these listeners from now on. Those that are served already go on untouched; others are closed as by `close`.
   *
   * @throws ListenError if there is one that can't be had. Then nothing changes.
   */
  setListeners(listeners: readonly ListenerOptions[]): Promise<void>;
  /** Takes no more connections, lets requests end that are under way, cuts what is left, removes socket files. */
  close(): Promise<void>;
}

/** Four unit files of the largest size that is kept, or one with every byte escaped. */
const defaultLargestBody = 4 * 1024 * 1024;
const defaultDrainMs = 5_000;

/** Taste, all four: a client on a bad line gets through, one that dawdles on purpose is let go. */
const patience = {
  /** From the first byte of a request to the last of its headers. */
  headersTimeout: 10_000,
  /** To the last byte of its body. */
  requestTimeout: 30_000,
  /** Between two requests on a connection. */
  keepAliveTimeout: 60_000,
  /** How often the first two are looked at, while there are connections. */
  connectionsCheckingInterval: 5_000,
};

/** Without a byte sent or received for this long, a connection with a request on it is cut. */
const stalledMs = 60_000;

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
  /** Tells its listener from others. */
  readonly key: string;
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
    const opened: Door[] = [];
    const doors: Door[] = [];
    try {
      for (const listener of listeners) {
        const key = JSON.stringify(listener);
        const known = before.find((door) => door.key === key);
        const door = known ?? (await openDoor(listener, key, this.#options));
        if (known === undefined) opened.push(door);
        doors.push(door);
      }
    } catch (error) {
      await Promise.all(opened.map((door) => door.close()));
      throw error;
    }
    this.#doors = doors;
    await Promise.all(before.filter((door) => !doors.includes(door)).map((door) => door.close()));
  }

  async close(): Promise<void> {
    await Promise.all(this.#doors.map((door) => door.close()));
  }
}

async function openDoor(listener: ListenerOptions, key: string, options: ServeApiOptions): Promise<Door> {
  const state: { isClosing: boolean; door: ApiRequest['door'] } = {
    isClosing: false,
    door: listener.kind === 'unix' ? 'unix' : 'tcp',
  };
  const server = createServer(patience, (incoming, outgoing) => {
    void exchange({ ...options, door: state.door, isClosing: () => state.isClosing }, incoming, outgoing);
  });
  server.timeout = stalledMs;
  const listening = await listen(server, listener);
  state.door = listening.door;
  const close = () => {
    state.isClosing = true;
    return closeServer(server, options);
  };
  return { key, listening, close };
}

interface Exchange extends ServeApiOptions {
  readonly door: ApiRequest['door'];
  readonly isClosing: () => boolean;
}

async function exchange(options: Exchange, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const { handle, door, log, largestBody = defaultLargestBody, isClosing } = options;
  const { method = '', url = '', headersDistinct: headers } = incoming;
  try {
    const { body, isTooLarge } = await readBody(incoming, largestBody);
    const response = await handle({ method, url, headers, body, isTooLarge, door });
    send(outgoing, response, isClosing() || isTooLarge);
  } catch (error) {
    // The client went away: `handle` rejects never.
    log.debug('request broke off', { method, url, error });
    outgoing.destroy();
  }
}

function send(outgoing: ServerResponse, { status, headers, body }: ApiResponse, isLast: boolean): void {
  const bytes = Buffer.from(body);
  outgoing.writeHead(status, {
    ...headers,
    ...(status === 204 ? {} : { 'Content-Length': bytes.length }),
    ...(isLast ? { Connection: 'close' } : {}),
  });
  outgoing.end(bytes);
}

async function closeServer(server: Server, { clock, drainMs = defaultDrainMs }: ServeApiOptions): Promise<void> {
  const cut = clock.setTimer(drainMs, () => server.closeAllConnections());
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
  cut.cancel();
}
