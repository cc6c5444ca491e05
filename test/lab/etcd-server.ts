import type { ChildProcess } from 'node:child_process';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { startBackground } from './background.js';
import { killProcess } from './cgroup.js';
import { mustRun, runCommand } from './command.js';
import { inNamespace, namespacePath } from './network.js';
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

/** One member of the lab's etcd cluster. */
export class EtcdServer {
  readonly #place: EtcdPlace;
  #process: ChildProcess | undefined;

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
      argv: inNamespace(namespacePath(directory, 'lab'), argv),
      cgroup: `${basename(directory)}/${name}`,
      log: this.#logPath,
    });
  }

  /** While it is down: empties it, or gives it what a snapshot of `etcdctl snapshot save` holds. */
  async replaceData(snapshot?: string): Promise<void> {
    const { dataDirectory, name } = this.#place;
    await rm(dataDirectory, { recursive: true, force: true });
    if (snapshot === undefined) return;
    const place = ['--name', name, '--data-dir', dataDirectory];
    await mustRun(['etcdctl', 'snapshot', 'restore', snapshot, ...place, ...this.#membership]);
  }

  /** Waits until the member answers a linearized read. */
  async untilHealthy(): Promise<void> {
    const health = ['etcdctl', '--endpoints', this.url, 'endpoint', 'health'];
    await waitUntil({
      what: `etcd at ${this.url} is healthy`,
      read: () => runCommand(inNamespace(namespacePath(this.#place.directory, 'lab'), health)),
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

  /** What a member is told at its first start, and a snapshot when it is restored. */
  get #membership(): string[] {
    const { address, members } = this.#place;
    const cluster = [...members].map(([of, who]) => `${who}=${peerUrl(of)}`).join(',');
    return ['--initial-cluster', cluster, '--initial-advertise-peer-urls', peerUrl(address)];
  }

  get #logPath(): string {
    return join(this.#place.directory, `${this.#place.name}.log`);
  }
}

function peerUrl(address: string): string {
  return `http://${address}:2380`;
}
