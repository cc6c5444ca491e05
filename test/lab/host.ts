import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type CommandOptions, type CommandResult, mustRun, runCommand } from './command.js';
import { Container } from './container.js';
import { createHostRoot, mountUsr, type UsrMode } from './host-root.js';
import { memoryPath } from './lab-record.js';
import { addFilter, clearFilters, createHostNetwork, type Filter, namespacePath, setCable } from './network.js';
import { waitUntil } from './wait-until.js';

/** A machine under test, whatever boots it. */
export interface TestHost {
  /** Its host name, and its cable's name. */
  readonly name: string;
  readonly address: string;
  /** 32 hex digits. */
  readonly machineId: string;
  /** Its root directory as the machine outside sees it; /run and /tmp inside are elsewhere. */
  readonly root: string;
  readonly isUp: boolean;
  /** Where a running host's `path` is for this process, in /run and /tmp too. */
  outside(path: string): string;
  /** Runs a program on the host. @throws Error if the host is down or the program not done in time. */
  exec(argv: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  /** Like `exec`, for what has to succeed; gives its standard output. */
  mustExec(argv: readonly string[], options?: CommandOptions): Promise<string>;
  /** Writes a file, and its directories; also while the host is down, outside of /run and /tmp. */
  writeFile(path: string, content: string | Uint8Array): Promise<void>;
  readFile(path: string): Promise<string>;
  /** Starts the host and waits until systemd has started everything. */
  boot(): Promise<void>;
  /** Shuts down as `systemctl poweroff` does. */
  powerOff(): Promise<void>;
  /** Everything on the host is gone at once; nothing is told. */
  powerCut(): Promise<void>;
  /** Parts the host from all others (its cable is pulled, the default), or from etcd, which falls silent or refuses it. */
  cutNetwork(how?: NetworkCut): Promise<void>;
  /** Ends every cut. */
  healNetwork(): Promise<void>;
  /** The journal's last lines, of one unit or of all; works while the host is down. */
  journal(unit?: string): Promise<string>;
}

export type NetworkCut = 'cable' | Filter;

export interface HostPlace {
  /** The lab's. */
  readonly directory: string;
  readonly name: string;
  readonly address: string;
  readonly machineId: string;
  readonly usr: UsrMode;
}

/** A directory that every host of a lab sees, at the path that it has outside. */
export function sharedDirectory(labDirectory: string): string {
  return join(labDirectory, 'shared');
}

/** Makes a host: root directory, network, control group. It is not booted yet. */
export async function createHost(place: HostPlace): Promise<NspawnHost> {
  const host = new NspawnHost(place);
  await createHostRoot(host.root, place.name, place.machineId);
  await createHostNetwork(place.directory, place.name, place.address);
  return host;
}

/** A host that is a container with a systemd of its own as PID 1. */
export class NspawnHost implements TestHost {
  readonly name: string;
  readonly address: string;
  readonly machineId: string;
  readonly root: string;
  readonly #directory: string;
  readonly #usr: UsrMode;
  #container: Container | undefined;

  constructor({ directory, name, address, machineId, usr }: HostPlace) {
    this.name = name;
    this.address = address;
    this.machineId = machineId;
    this.root = join(directory, 'hosts', name);
    this.#directory = directory;
    this.#usr = usr;
  }

  get isUp(): boolean {
    return this.#container?.initPid !== undefined;
  }

  outside(path: string): string {
    return `/proc/${this.#init}/root${path}`;
  }

  exec(argv: readonly string[], options?: CommandOptions): Promise<CommandResult> {
    return runCommand(this.#inside(argv), options);
  }

  mustExec(argv: readonly string[], options?: CommandOptions): Promise<string> {
    return mustRun(this.#inside(argv), options);
  }

  async writeFile(path: string, content: string | Uint8Array): Promise<void> {
    if (this.isUp) {
      await this.mustExec(['mkdir', '-p', '--', dirname(path)]);
      await this.mustExec(['dd', 'status=none', `of=${path}`], { stdin: content });
    } else {
      await mkdir(join(this.root, dirname(path)), { recursive: true });
      await writeFile(join(this.root, path), content);
    }
  }

  readFile(path: string): Promise<string> {
    return this.isUp ? this.mustExec(['cat', '--', path]) : readFile(join(this.root, path), 'utf8');
  }

  async boot(): Promise<void> {
    if (this.isUp) return;
    const lab = basename(this.#directory);
    const usr = await mountUsr(this.#usr, join(memoryPath(this.#directory), this.name));
    this.#container = await Container.start({
      name: `${lab}-${this.name}`,
      root: this.root,
      // Units and fleetd find this very Node there, wherever it is installed on the machine.
      binds: [...usr, `--bind-ro=${process.execPath}:/opt/node/node`, `--bind=${this.#shared}`],
      network: namespacePath(this.#directory, this.name),
      cgroup: `${lab}/${this.name}`,
      console: join(this.#directory, `${this.name}.console`),
    });
    await waitUntil({
      what: `${this.name} has booted`,
      read: async () => (await this.exec(['systemctl', 'is-system-running'])).stdout.trim(),
      until: (state) => state === 'running' || state === 'degraded',
      onTimeout: async () => `${await this.#container?.output()}\n${await this.journal()}`,
    });
  }

  async powerOff(): Promise<void> {
    await this.#container?.powerOff();
  }

  async powerCut(): Promise<void> {
    await this.#container?.powerCut();
  }

  async cutNetwork(how: NetworkCut = 'cable'): Promise<void> {
    if (how === 'cable') return await setCable(this.#directory, this.name, 'down');
    await addFilter(namespacePath(this.#directory, this.name), how, 'OUTPUT', ['--dport', '2379']);
  }

  async healNetwork(): Promise<void> {
    await clearFilters(namespacePath(this.#directory, this.name));
    await setCable(this.#directory, this.name, 'up');
  }

  async journal(unit?: string): Promise<string> {
    const place = ['--directory', join(this.root, 'var/log/journal')];
    const options = ['--no-pager', '--quiet', '--output=short-precise', '--lines=200'];
    const { stdout } = await runCommand(['journalctl', ...place, ...options, ...(unit ? ['--unit', unit] : [])]);
    return `--- ${this.name}, journal of ${unit ?? 'everything'}:\n${stdout}`;
  }

  get #shared(): string {
    return sharedDirectory(this.#directory);
  }

  get #init(): number {
    const pid = this.#container?.initPid;
    if (pid === undefined) throw new Error(`${this.name} is down`);
    return pid;
  }

  #inside(argv: readonly string[]): string[] {
    return ['nsenter', '-t', String(this.#init), '-m', '-u', '-i', '-n', '-p', '--', ...argv];
  }
}
