import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock, Logger } from '@flotilla/runtime';
import type { Handle } from './api.js';
import { Connection } from './connection.js';
import { HeldBytes } from './held-bytes.js';
import type { ClientLimits } from './limits.js';
import { readBody } from './read-body.js';
import { formatLastAnswer, noHost, noVersion, tooLarge, tooMuchAtOnce } from './refusal.js';
import type { ApiRequest, ApiResponse, Refusal } from './request.js';

export interface ClientsOptions {
  readonly handle: Handle;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits: ClientLimits;
  /** Asked for each request: which one it is shows only once the server listens. */
  readonly findDoor: () => ApiRequest['door'];
  readonly isClosing: () => boolean;
}

/** A request that Node has read the head of. */
interface Arrival {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly refusal?: Refusal;
}

type Received = { readonly body: Uint8Array } | { readonly refusal: Refusal };

/** How long a client that was sent its last answer may go on sending: closed at once, the answer might be lost. */
const lingerMs = 1_000;

/** Everybody who is connected to one listener. */
export class Clients {
  readonly #options: ClientsOptions;
  readonly #held: HeldBytes;
  /** Who has asked for nothing for longest comes first. */
  readonly #connections = new Map<Duplex, Connection>();

  constructor(options: ClientsOptions) {
    this.#options = options;
    this.#held = new HeldBytes(options.limits.mostHeldBytes);
  }

  admit(stream: Duplex): Connection {
    if (this.#connections.size >= this.#options.limits.mostConnections) this.#dropOne();
    const connection = new Connection(stream);
    this.#connections.set(stream, connection);
    stream.once('close', () => this.#connections.delete(stream));
    return connection;
  }

  #dropOne(): void {
    const connections = [...this.#connections.values()];
    (connections.find(({ isIdle }) => isIdle) ?? connections[0])?.drop();
  }

  serve(arrival: Arrival): void {
    const { socket } = arrival.incoming;
    const connection = this.#connections.get(socket) ?? this.admit(socket);
    this.#connections.delete(socket);
    this.#connections.set(socket, connection);
    void this.#exchange(connection, arrival);
  }

  async #exchange(connection: Connection, { incoming, outgoing, refusal }: Arrival): Promise<void> {
    const { handle, findDoor, isClosing, log } = this.#options;
    const { method = '', url = '', headersDistinct: headers } = incoming;
    let refuse: (refusal: Refusal) => void = () => undefined;
    const refused = new Promise<Received>((resolve) => {
      refuse = (why) => resolve({ refusal: why });
    });
    const over = new Promise<void>((resolve) => outgoing.once('close', resolve));
    if (!(await connection.takeTurn({ incoming, refuse }))) return;
    const holder = { drop: () => (incoming.complete ? outgoing.destroy() : refuse(tooMuchAtOnce)) };
    try {
      const onKept = (bytes: number) => this.#held.add(holder, bytes);
      const received =
        refusal === undefined ? await Promise.race([this.#receive(incoming, onKept), refused]) : { refusal };
      const response = await handle({ method, url, headers, body: new Uint8Array(), ...received, door: findDoor() });
      const bytes = Buffer.from(response.body);
      this.#held.add(holder, bytes.length);
      const isLast = isClosing() || 'refusal' in received || !outgoing.shouldKeepAlive;
      if (isLast) connection.endLastTurn();
      send(outgoing, { response, bytes, isLast });
      await over;
    } catch (error) {
      // The client went away: `handle` rejects never.
      log.debug('request broke off', { method, url, error });
      outgoing.destroy();
    } finally {
      this.#held.release(holder);
      connection.endTurn();
    }
  }

  async #receive(incoming: IncomingMessage, onKept: (bytes: number) => void): Promise<Received> {
    // Node's parser takes a first line that has been cut off for one of HTTP/0.9.
    if (incoming.httpVersionMajor < 1) return { refusal: noVersion };
    if (incoming.httpVersion === '1.1' && incoming.headers.host === undefined) return { refusal: noHost };
    const body = await readBody(incoming, { limit: this.#options.limits.largestBody, onKept });
    return body === undefined ? { refusal: tooLarge } : { body };
  }

  /** Gives a connection that can take no more requests its last answer. */
  end(stream: Duplex, why: Refusal | Pick<ApiRequest, 'method' | 'url'>): void {
    const connection = this.#connections.get(stream);
    if (connection === undefined || !stream.writable) {
      stream.destroy();
      return;
    }
    // It can be reset at any time, and nobody else listens to what has left Node's hands.
    stream.on('error', () => stream.destroy());
    const refusal = 'status' in why ? why : undefined;
    const { method, url } = 'status' in why ? { method: '', url: '' } : why;
    const { handle, findDoor, clock } = this.#options;
    void connection.breakOff(refusal, async () => {
      const linger = clock.setTimer(lingerMs, () => stream.destroy());
      stream.once('close', () => linger.cancel());
      const request = { method, url, headers: {}, body: new Uint8Array(), door: findDoor() };
      stream.end(formatLastAnswer(await handle(refusal === undefined ? request : { ...request, refusal })));
    });
  }
}

interface Answer {
  readonly response: ApiResponse;
  readonly bytes: Uint8Array;
  readonly isLast: boolean;
}

function send(outgoing: ServerResponse, { response: { status, headers }, bytes, isLast }: Answer): void {
  outgoing.writeHead(status, {
    ...headers,
    ...(status === 204 ? {} : { 'Content-Length': bytes.length }),
    ...(isLast ? { Connection: 'close' } : {}),
  });
  outgoing.end(bytes);
}
