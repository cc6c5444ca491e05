import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@flotilla/runtime';
import { waitUntil } from '../lab/index.js';
import { time } from './test-stores.js';

const program = join(import.meta.dirname, '../../../dist/fleetd');

const patienceMs = 20_000;

/** Said by each fleetd that systemd has not started. */
const sockets = 'no sockets were passed by systemd';

/** The single file, run as a process of its own: an engine, and an agent or an API (`listen`) if that is wanted. */
export class FleetdProcess {
  readonly #directory = mkdtempSync(join(tmpdir(), 'flotilla-fleetd-'));
  readonly #places = {
    state_directory: this.#directory,
    units_directory: join(this.#directory, 'units'),
    // A machine's own are none of a test's business.
    unit_dirs: 'none',
  };
  readonly #child: ChildProcess;
  readonly lines: string[] = [];
  /** What it has written to standard output. */
  stdout = '';

  /**
   * @param options By their names in the configuration file, set for good.
   * @param text Of a configuration file, which {@link configure} changes. Without, it has none.
   */
  constructor(options: Readonly<Record<string, string>>, text?: string) {
    const own = text === undefined ? { ...this.#places, verbosity: '1' } : {};
    const all = Object.entries({ disable_agent: 'true', on_stop: 'stay', ...own, ...options });
    const environment = Object.fromEntries(all.map(([name, value]) => [`FLEET_${name.toUpperCase()}`, value]));
    if (text !== undefined) this.configure(text);
    this.#child = spawn(process.execPath, [program, ...(text === undefined ? [] : [`--config=${this.configFile}`])], {
      // With systemd_user, all that is kept until a boot is in the process's own directory, and no systemd within reach.
      env: { PATH: process.env.PATH, XDG_RUNTIME_DIR: this.#directory, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.stdout?.on('data', (chunk) => {
      this.stdout += chunk;
    });
    let rest = '';
    this.#child.stderr?.on('data', (chunk) => {
      const parts = `${rest}${chunk}`.split('\n');
      rest = parts.pop() ?? '';
      this.lines.push(...parts);
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** A path in a directory that goes with the process. */
  path(name: string): string {
    return join(this.#directory, name);
  }

  get configFile(): string {
    return this.path('fleet.conf');
  }

  /** Writes the configuration file anew, to be read at the next SIGHUP. Three lines of its own come first; later ones count. */
  configure(text: string): void {
    const places = Object.entries(this.#places).map(([name, path]) => `${name} = ${path}\n`);
    writeFileSync(this.configFile, places.join('') + text);
  }

  /** Waits until it takes signals itself: before, SIGHUP would end it. */
  async untilHearing(): Promise<void> {
    await waitUntil({
      what: 'fleetd takes SIGHUP itself',
      read: async () => /SigCgt:\s*([0-9a-f]+)/.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))?.[1] ?? '0',
      until: (caught) => (BigInt(`0x${caught}`) & 1n) === 1n,
      intervalMs: 1,
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** How many descriptors it has open. */
  get descriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  /** In megabytes. */
  get resident(): number {
    const [, kilobytes] = /VmRSS:\s*(\d+)/.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8')) ?? [];
    return Number(kilobytes) / 1024;
  }

  /** What people are meant to see: warnings and worse, and what is no log line at all. */
  get complaints(): string[] {
    return this.lines.filter((line) => !/^(DEBUG|INFO) /.test(line) && !line.includes(sockets));
  }

  /** Waits for so many lines that match. */
  async untilSaid(what: RegExp, count = 1): Promise<void> {
    const startedMs = systemClock.monotonicMs();
    while (this.lines.filter((line) => what.test(line)).length < count) {
      if (systemClock.monotonicMs() - startedMs > patienceMs || this.#child.exitCode !== null)
        throw new Error(`fleetd did not say ${what} ${count} times:\n${this.lines.join('\n')}`);
      await time.elapse(20);
    }
  }

  async untilExit(): Promise<number | null> {
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
    return this.#child.exitCode;
  }

  /** Ends it and removes its directory. */
  async remove(): Promise<void> {
    this.#child.kill('SIGTERM');
    const impatience = systemClock.setTimer(patienceMs, () => this.#child.kill('SIGKILL'));
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
    impatience.cancel();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
