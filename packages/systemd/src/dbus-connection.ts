import type { Clock, Timer } from '@flotilla/runtime';
import { createClient, DBusError, type Message, type MessageBus, messageType } from 'dbus-native';
import { type CallObserver, observeCall } from './call-observer.js';

/** A method call on a bus. */
export interface DbusCall {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  /** D-Bus signature of `body`. @default no arguments */
  readonly signature?: string;
  readonly body?: readonly unknown[];
}

/** What somebody on a bus has told everybody. */
export interface DbusSignal {
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly body: readonly unknown[];
}

export interface DbusConnectionOptions {
  /** Path of the bus's socket. */
  readonly socket: string;
  readonly clock: Clock;
  readonly onSignal: (signal: DbusSignal) => void;
  /** Called once, when the connection is lost; not after {@link DbusConnection.close}. */
  readonly onLost: (reason: Error) => void;
  readonly onCall?: CallObserver | undefined;
}

/** The D-Bus name of the error that a call was answered with; `undefined` if the call had no answer. */
export function findErrorName(error: unknown): string | undefined {
  return error instanceof DBusError ? error.dbusName : undefined;
}

/** Longer than systemd takes to reload thousands of units; a bus that says nothing for so long is as good as none. */
const answerMs = 10_000;

/** One connection to a bus, from its socket to its loss. The only user of the D-Bus library. */
export class DbusConnection {
  readonly #options: DbusConnectionOptions;
  readonly #bus: MessageBus;
  #isOver = false;

  constructor(options: DbusConnectionOptions) {
    this.#options = options;
    // `direct`: the library would throw where nobody can catch it if the bus answered its own Hello with an error.
    this.#bus = createClient({
      socket: options.socket,
      authMethods: ['EXTERNAL'],
      direct: true,
      returnBigInt: true,
      plainValues: true,
    });
    const { connection } = this.#bus;
    connection.on('message', (message) => this.#take(message));
    connection.on('error', (error) => this.#lose(error));
    connection.on('handlerError', (error) => this.#lose(error));
    connection.on('end', () => this.#lose(new Error('the bus has closed the connection')));
    connection.on('close', () => this.#lose(new Error('the bus has closed the connection')));
  }

  /** Introduces itself to the bus. To be called first. */
  async hello(): Promise<void> {
    await this.callBus('Hello');
  }

  /** Calls a method of the bus itself. */
  async callBus(member: string, ...body: readonly string[]): Promise<unknown> {
    const name = 'org.freedesktop.DBus';
    const signature = body.length > 0 ? { signature: 's'.repeat(body.length), body } : {};
    return await this.call({ destination: name, path: '/org/freedesktop/DBus', interface: name, member, ...signature });
  }

  /**
   * The answer to a call: nothing, one value, or an array of values.
   *
   * @throws Error if the answer is an error, if there is none in time, and if the connection is or gets lost. After the
   *   last two the connection is over.
   */
  call(call: DbusCall): Promise<unknown> {
    const { clock, onCall } = this.#options;
    return observeCall({ clock, onCall, by: 'dbus', verb: call.member }, () => this.#call(call));
  }

  async #call({ body, ...call }: DbusCall): Promise<unknown> {
    let timer: Timer | undefined;
    const message: Message = { ...call, ...(body !== undefined && { body: [...body] }) };
    try {
      timer = this.#options.clock.setTimer(answerMs, () => this.#lose(new Error(`no answer to ${call.member}`)));
      return await this.#bus.invoke(message);
    } finally {
      timer?.cancel();
    }
  }

  /** Ends the connection; calls that have no answer yet reject. */
  close(): void {
    this.#isOver = true;
    this.#bus.connection.stream.destroy();
  }

  #take({ type, path, interface: from, member, body = [] }: Message): void {
    if (this.#isOver || type !== messageType.signal) return;
    if (path === undefined || from === undefined || member === undefined) return;
    this.#options.onSignal({ path, interface: from, member, body });
  }

  #lose(reason: Error): void {
    if (this.#isOver) return;
    this.close();
    this.#options.onLost(reason);
  }
}
