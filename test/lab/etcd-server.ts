import type { ChildProcess } from 'node:child_process';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { startBackground } from './background.js';
import { killProcess } from './cgroup.js';
import { mustRun, runCommand } from './command.js';
import { addFilter, clearFilters, inNamespace, namespacePath, setCable } from './network.js';
import { waitUntil } from './wait-until.js';

export interface EtcdPlace {
  /** The lab's. */
  readonly directory: string;
  /** Where its data goes; kept over stop and start. */
  readonly dataDirectory: string;
  readonly name: string;
  readonly address: string;
  /** All members: name by address. */
  readonly members: ReadonlyMap<string, string>;
}

const firstCluster = 'lab';

/** One member of the lab's etcd cluster, with a network cable of its own. */
export class EtcdServer {
  readonly #place: EtcdPlace;
  #process: ChildProcess | undefined;
  #cluster = firstCluster;

  constructor(place: EtcdPlace) {
    this.#place = place;
  }

  /** For clients inside the lab's network. */
  get url(): string {
    return `http://${this.#place.address}:2379`;
  }

  /** Starts the process; {@link untilHealthy} tells when it serves. */
  async start(): Promise<void> {
    const { directory, dataDirectory, name, address } = this.#place;
    await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
    const clients = ['--listen-client-urls', this.url, '--advertise-client-urls', this.url];
    const options = ['--name', name, '--data-dir', dataDirectory, '--listen-peer-urls', peerUrl(address)];
    const argv = ['etcd', ...options, ...clients, ...this.#membership, '--log-level', 'warn', '--logger', 'zap'];
    this.#process = await startBackground({
      argv: inNamespace(this.#network, argv),
      cgroup: `${basename(directory)}/${name}`,
      log: this.#logPath,
    });
  }

  /**
   * While it is down: empties it, or gives it what a snapshot of `etcdctl snapshot save` holds.
   *
   * @param cluster Which etcd cluster it says it is of: to etcd's clients, another name is another store.
   */
  async replaceData(snapshot?: string, cluster = firstCluster): Promise<void> {
    const { dataDirectory, name } = this.#place;
    this.#cluster = cluster;
    await rm(dataDirectory, { recursive: true, force: true });
    if (snapshot === undefined) return;
    const place = ['--name', name, '--data-dir', dataDirectory];
    await mustRun(['etcdctl', 'snapshot', 'restore', snapshot, ...place, ...this.#membership]);
  }

  /** While it is down: keeps its data for {@link takeBack}. */
  async setAside(): Promise<void> {
    const { dataDirectory } = this.#place;
    await rm(`${dataDirectory}-aside`, { recursive: true, force: true });
    await rename(dataDirectory, `${dataDirectory}-aside`);
  }

  /** While it is down: has the data again that were set aside. */
  async takeBack(): Promise<void> {
    const { dataDirectory } = this.#place;
    this.#cluster = firstCluster;
    await rm(dataDirectory, { recursive: true, force: true });
    await rename(`${dataDirectory}-aside`, dataDirectory);
  }

  /** Asks this member, also while it is cut off. @returns What etcdctl prints. */
  etcdctl(args: readonly string[]): Promise<string> {
    return mustRun(this.#etcdctl(args));
  }

  /** Waits until the member answers a linearized read. */
  async untilHealthy(): Promise<void> {
    await waitUntil({
      what: `etcd at ${this.url} is healthy`,
      read: () => runCommand(this.#etcdctl(['endpoint', 'health'])),
      until: ({ code }) => code === 0,
      onTimeout: () => readFile(this.#logPath, 'utf8'),
    });
  }

  /** SIGSTOP and SIGCONT freeze and thaw it; after SIGKILL or SIGTERM it is down until `start`. */
  async signal(signal: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const server = this.#process;
    if (server?.pid === undefined) return;
    killProcess(server.pid, signal);
    if (signal === 'SIGSTOP' || signal === 'SIGCONT') return;
    await waitUntil({
      what: `etcd at ${this.url} has ended`,
      read: async () => server.exitCode !== null || server.signalCode !== null,
      until: (hasEnded) => hasEnded,
    });
  }

  /** Parts this member from everybody, or from its fellows only: silently. */
  async cutOff(from: 'all' | 'fellows' = 'all'): Promise<void> {
    const { directory, name, address, members } = this.#place;
    if (from === 'all') return await setCable(directory, name, 'down');
    for (const fellow of [...members.keys()].filter((each) => each !== address)) {
      await addFilter(this.#network, 'silence', 'INPUT', ['--source', fellow]);
      await addFilter(this.#network, 'silence', 'OUTPUT', ['--destination', fellow]);
    }
  }

  /** Ends every cut. */
  async rejoin(): Promise<void> {
    await clearFilters(this.#network);
    await setCable(this.#place.directory, this.#place.name, 'up');
  }

  /** What a member is told at its first start, and a snapshot when it is restored. */
  get #membership(): string[] {
    const { address, members } = this.#place;
    const cluster = [...members].map(([of, who]) => `${who}=${peerUrl(of)}`).join(',');
    const own = ['--initial-advertise-peer-urls', peerUrl(address), '--initial-cluster-token', this.#cluster];
    return ['--initial-cluster', cluster, ...own];
  }

  #etcdctl(args: readonly string[]): string[] {
    return inNamespace(this.#network, ['etcdctl', '--endpoints', this.url, ...args]);
  }

  get #network(): string {
    return namespacePath(this.#place.directory, this.#place.name);
  }

  get #logPath(): string {
    return join(this.#place.directory, `${this.#place.name}.log`);
  }
}

function peerUrl(address: string): string {
  return `http://${address}:2380`;
}
