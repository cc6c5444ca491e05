import type { ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { startBackground } from './background.js';
import { ignoreMissing, killProcess } from './cgroup.js';
import { waitUntil } from './wait-until.js';

export interface ContainerOptions {
  /** Unique on the machine. */
  readonly name: string;
  readonly root: string;
  /** Mounts, in systemd-nspawn's notation. */
  readonly binds: readonly string[];
  /** File of its network namespace. */
  readonly network: string;
  /** See `createCgroup`. */
  readonly cgroup: string;
  /** File that its console is added to. */
  readonly console: string;
}

/** systemd's signal for a clean power-off: SIGRTMIN+4, 34 being Linux's SIGRTMIN. */
const powerOffSignal = 38;

/** A running systemd-nspawn and the systemd in it. */
export class Container {
  readonly #name: string;
  readonly #console: string;
  readonly #nspawn: ChildProcess;
  #init: number | undefined;

  private constructor({ name, console }: ContainerOptions, nspawn: ChildProcess) {
    this.#name = name;
    this.#console = console;
    this.#nspawn = nspawn;
  }

  /** Starts it and waits until it has a PID 1. */
  static async start(options: ContainerOptions): Promise<Container> {
    const { name, root, binds, network, cgroup, console } = options;
    const settings = ['--quiet', '--register=no', '--keep-unit', '--boot', '--console=pipe'];
    const place = ['--machine', name, '--directory', root, `--network-namespace-path=${network}`];
    const argv = ['systemd-nspawn', ...settings, ...place, ...binds];
    const container = new Container(options, await startBackground({ argv, cgroup, log: console }));
    await container.#untilInit();
    return container;
  }

  /** The PID, seen from outside, of its PID 1; `undefined` once the container has ended. */
  get initPid(): number | undefined {
    return this.#hasEnded ? undefined : this.#init;
  }

  async powerOff(): Promise<void> {
    if (this.initPid !== undefined) killProcess(this.initPid, powerOffSignal);
    await this.#untilEnd();
  }

  async powerCut(): Promise<void> {
    // PID 1 first: without its supervisor a container would run on, unseen.
    if (this.initPid !== undefined) killProcess(this.initPid, 'SIGKILL');
    await this.#untilEnd();
  }

  /** What it has printed so far. */
  async output(): Promise<string> {
    return (await readFile(this.#console, 'utf8').catch(ignoreMissing)) ?? '';
  }

  get #hasEnded(): boolean {
    return this.#nspawn.exitCode !== null || this.#nspawn.signalCode !== null;
  }

  async #untilInit(): Promise<void> {
    this.#init = await waitUntil({
      what: `${this.#name} has a PID 1`,
      read: () => findInit(this.#nspawn.pid ?? 0),
      until: (pid) => pid !== undefined || this.#hasEnded,
      intervalMs: 20,
      onTimeout: () => this.output(),
    });
    if (this.#init === undefined) throw new Error(`${this.#name} did not start\n${await this.output()}`);
  }

  async #untilEnd(): Promise<void> {
    await waitUntil({
      what: `${this.#name} is off`,
      read: async () => this.#hasEnded,
      until: (hasEnded) => hasEnded,
      timeoutMs: 100_000, // longer than systemd gives a service to stop
      intervalMs: 20,
      onTimeout: () => this.output(),
    });
  }
}

/** The `systemd` child of systemd-nspawn, once it has taken that name. */
async function findInit(nspawnPid: number): Promise<number | undefined> {
  const children = await readFile(`/proc/${nspawnPid}/task/${nspawnPid}/children`, 'utf8').catch(ignoreMissing);
  for (const pid of (children ?? '').split(' ').filter((each) => each !== '')) {
    const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(ignoreMissing);
    if (name?.trim() === 'systemd') return Number(pid);
  }
  return undefined;
}
