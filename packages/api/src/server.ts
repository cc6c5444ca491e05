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
  const state = { isClosing: false };
  const servers: Server[] = [];
  const listening: Listening[] = [];
  const close = async () => {
    state.isClosing = true;
    await Promise.all(servers.map((server) => closeServer(server, options)));
  };
  for (const listener of options.listeners) {
    const door: { is: ApiRequest['door'] } = { is: listener.kind === 'unix' ? 'unix' : 'tcp' };
    const server = createServer(patience, (incoming, outgoing) => {
      void exchange({ ...options, door: door.is, isClosing: () => state.isClosing }, incoming, outgoing);
    });
    server.timeout = stalledMs;
    try {
      const heard = await listen(server, listener);
      door.is = heard.door;
      listening.push(heard);
      servers.push(server);
    } catch (error) {
      await close();
      throw error;
    }
  }
  return { listening, close };
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
