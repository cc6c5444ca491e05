import { connect, type Socket } from 'node:net';
import { systemClock } from '@flotilla/runtime';

/** A client that waits longer has been forgotten, however busy the machine is. */
const patienceMs = 60_000;

/** An answer as it came. */
export interface RawAnswer {
  readonly status: number;
  /** By name as it was spelled; of several with one name the last. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A client of the API that sends exactly the bytes that it is given. For tests. */
export class RawClient {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #isOver = false;
  #wake: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    const over = () => {
      this.#isOver = true;
      this.#wake();
    };
    socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    socket.on('end', over);
    socket.on('close', over);
    // Told by `isOver`: a reset is one way to end.
    socket.on('error', over);
  }

  /** @param address A socket file, or `host:port`. */
  static connect(address: string): Promise<RawClient> {
    const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(address) ?? [];
    return new Promise((resolve, reject) => {
      const options = { allowHalfOpen: true };
      const socket = address.startsWith('/')
        ? connect({ path: address, ...options })
        : connect({ host, port: Number(port), ...options });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new RawClient(socket));
      });
    });
  }

  /** The server has closed its side. */
  get isOver(): boolean {
    return this.#isOver;
  }

  send(bytes: string | Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** Says that nothing more will come. */
  endSending(): void {
    this.#socket.end();
  }

  /** Reads nothing until {@link resume}: what the server sends stays in its hands. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Goes away at once, and lets the server know. Only over TCP. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  close(): void {
    this.#socket.destroy();
  }

  /**
   * The next answer; `undefined` if the server closed its side before there was one.
   *
   * @param method Of its request, if that is known: an answer to `HEAD` has no body, whatever length it tells.
   */
  async next(method = ''): Promise<RawAnswer | undefined> {
    for (;;) {
      const found = takeAnswer(this.#received, { isBodiless: method === 'HEAD', isAll: this.#isOver });
      if (found !== undefined) {
        this.#received = found.rest;
        return found.answer;
      }
      if (this.#isOver) return undefined;
      await this.#changed();
    }
  }

  /** Waits until the server has closed its side. @returns What it sent that was not taken as an answer. */
  async untilOver(): Promise<string> {
    while (!this.#isOver) await this.#changed();
    return this.#received.toString();
  }

  #changed(): Promise<void> {
    return new Promise((resolve, reject) => {
      const impatience = systemClock.setTimer(patienceMs, () =>
        reject(new Error('the server neither answered nor closed')),
      );
      this.#wake = () => {
        impatience.cancel();
        resolve();
      };
    });
  }
}

interface Reading {
  readonly isBodiless: boolean;
  /** Nothing more will come. */
  readonly isAll: boolean;
}

function takeAnswer(
  received: Buffer,
  reading: Reading,
): { readonly answer: RawAnswer; readonly rest: Buffer } | undefined {
  const end = received.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [first = '', ...lines] = received.subarray(0, end).toString('latin1').split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1]);
  const headers = Object.fromEntries(
    lines.map((line): [string, string] => {
      const colon = line.indexOf(': ');
      return [line.slice(0, colon), line.slice(colon + 2)];
    }),
  );
  const after = received.subarray(end + 4);
  // "Continue": the answer comes later.
  if (status === 100) return takeAnswer(after, reading);
  const length = hasBody(after, status, reading) ? Number(headers['Content-Length']) : 0;
  if (Number.isNaN(length) || Number.isNaN(status)) throw new Error(`no answer: ${first} ${lines.join(' | ')}`);
  if (after.length < length) return undefined;
  return { answer: { status, headers, body: after.subarray(0, length).toString() }, rest: after.subarray(length) };
}

/** Of a method that is not known it shows in what follows: no body of ours looks like another answer. */
function hasBody(after: Buffer, status: number, { isBodiless, isAll }: Reading): boolean {
  if (isBodiless || status === 204) return false;
  return after.length === 0 ? !isAll : !after.subarray(0, 9).equals(Buffer.from('HTTP/1.1 '));
}
