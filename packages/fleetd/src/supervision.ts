import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Clock, type Logger, sleep } from '@flotilla/runtime';

const run = promisify(execFile);

/** systemd-notify waits up to 5 s for systemd to have read the message. */
const noticeTimeoutMs = 10_000;

/** On top of what leaving takes: the calls before and after it. */
const stopMarginMs = 20_000;

/** What systemd, if it started this process, wants to be told. @see sd_notify(3) */
export interface Supervision {
  /** Where it listens. */
  readonly socket: string;
  /** How long it waits for a sign of life, if it does. */
  readonly watchdogMs: number | undefined;
}

/**
 * Reads what systemd wants to be told; `undefined` if nothing. Takes the variables out of the environment, so that no
 * child speaks for this process.
 */
export function takeSupervision(environment: NodeJS.ProcessEnv, pid: number): Supervision | undefined {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: microseconds, WATCHDOG_PID: forPid = String(pid) } = environment;
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete environment[name];
  if (socket === undefined) return undefined;
  const isWatched = forPid === String(pid) && Number(microseconds) > 0;
  return { socket, watchdogMs: isWatched ? Number(microseconds) / 1000 : undefined };
}

export interface SupervisorOptions {
  readonly supervision: Supervision | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** One line for `systemctl status`. */
  readonly status: () => string;
  /** Passes on messages, each `NAME=value`. @default through the program systemd-notify, as Node has no datagram sockets */
  readonly send?: (messages: readonly string[], socket: string) => Promise<void>;
}

/** Tells systemd how this process fares; silent if systemd does not ask. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #end = new AbortController();
  #isReady = false;
  #hasFailed = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /** Says, once, that the start is complete; from now on says in time that the event loop turns, until {@link close}. */
  async ready(): Promise<void> {
    if (this.#isReady) return;
    this.#isReady = true;
    const { supervision, clock } = this.#options;
    await this.#tell(['READY=1', this.#status()]);
    if (supervision?.watchdogMs === undefined) return;
    while (!this.#end.signal.aborted) {
      await sleep(clock, supervision.watchdogMs / 3, this.#end.signal);
      if (!this.#end.signal.aborted) await this.#tell(['WATCHDOG=1', this.#status()]);
    }
  }

  /** Says that the end has begun and may take `timeoutMs`, and a little more. */
  async stopping(timeoutMs: number): Promise<void> {
    await this.#tell(['STOPPING=1', `EXTEND_TIMEOUT_USEC=${(timeoutMs + stopMarginMs) * 1000}`]);
  }

  close(): void {
    this.#end.abort();
  }

  #status(): string {
    return `STATUS=${this.#options.status().replaceAll('\n', ' ')}`;
  }

  async #tell(messages: readonly string[]): Promise<void> {
    const { supervision, log, send = sendThroughProgram } = this.#options;
    if (supervision === undefined) return;
    try {
      await send(messages, supervision.socket);
      this.#hasFailed = false;
    } catch (error) {
      if (!this.#hasFailed) log.warn('systemd was not told how fleetd fares', { messages, error });
      this.#hasFailed = true;
    }
  }
}

async function sendThroughProgram(messages: readonly string[], socket: string): Promise<void> {
  await run('systemd-notify', messages, {
    env: { ...process.env, NOTIFY_SOCKET: socket },
    timeout: noticeTimeoutMs,
  });
}
