import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sleep, systemClock } from '@flotilla/runtime';
import { waitUntil } from '../lab/index.js';
import { freePorts } from './free-ports.js';

const healthPatienceMs = 15_000;
const stopPatienceMs = 10_000;
const lookEveryMs = 25;

/** Why tests that need a real etcd can't run here; `undefined` if they can. */
export function etcdMissing(): string | undefined {
  return spawnSync('etcd', ['--version']).status === 0
    ? undefined
    : 'there is no etcd in PATH (apt install etcd-server)';
}

/** Where a member lives if not on loopback: an address of its own, in a network namespace (a file) of its own. */
export interface EtcdPlace {
  readonly address: string;
  readonly namespace: string;
}

export interface TestEtcdOptions {
  readonly extraArguments?: readonly string[];
  /** Files of a certificate; clients must then have one of the same authority. */
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string };
}

interface Member {
  readonly name: string;
  readonly address: string;
  readonly namespace: string | undefined;
  readonly clientPort: number;
  readonly peerPort: number;
  /** Serves `/health` without TLS. */
  readonly healthPort: number;
}

/** etcd's own ports, for members that share theirs with nobody. */
const usualPorts = { clientPort: 2379, peerPort: 2380, healthPort: 2381 };

/** A member of an etcd cluster, mostly the only one, on loopback, with its data in memory where the machine allows. */
export class TestEtcd {
  readonly #options: TestEtcdOptions;
  readonly #member: Member;
  readonly #initialCluster: string;
  readonly #directory: string;
  #token = 'flotilla-test';
  #process: ChildProcess | undefined;
  #output = '';

  private constructor(member: Member, members: readonly Member[], options: TestEtcdOptions) {
    this.#options = options;
    this.#member = member;
    this.#initialCluster = members.map((each) => `${each.name}=${peerUrl(each)}`).join(',');
    this.#directory = mkdtempSync(join(hasDirectory('/dev/shm') ? '/dev/shm' : tmpdir(), 'flotilla-etcd-'));
    process.once('exit', this.#removeAll);
  }

  /** Starts a cluster of one and waits until it is healthy. */
  static async start(options: TestEtcdOptions = {}): Promise<TestEtcd> {
    const [etcd] = await TestEtcd.startCluster(1, options);
    if (etcd === undefined) throw new Error('a cluster of one has a member');
    return etcd;
  }

  /** Starts a cluster and waits until all of it is healthy. */
  static async startCluster(size: number, options: TestEtcdOptions = {}): Promise<TestEtcd[]> {
    const ports = await freePorts(3 * size);
    const members = Array.from({ length: size }, (_, at): Member => {
      const [clientPort = 0, peerPort = 0, healthPort = 0] = ports.slice(3 * at);
      return {
        name: `etcd${at}`,
        address: '127.0.0.1',
        namespace: undefined,
        clientPort,
        peerPort,
        healthPort,
      };
    });
    return await TestEtcd.#startMembers(members, options);
  }

  /** Starts a cluster with a member at each place, and waits until all of it is healthy. */
  static startAt(places: readonly EtcdPlace[]): Promise<TestEtcd[]> {
    const members = places.map((place, at): Member => ({ name: `etcd${at}`, ...place, ...usualPorts }));
    return TestEtcd.#startMembers(members, {});
  }

  static async #startMembers(members: readonly Member[], options: TestEtcdOptions): Promise<TestEtcd[]> {
    const cluster = members.map((member) => new TestEtcd(member, members, options));
    await Promise.all(cluster.map((etcd) => etcd.start()));
    return cluster;
  }

  /** `undefined` while it does not run. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  get clientPort(): number {
    return this.#member.clientPort;
  }

  get url(): string {
    const host = this.#options.tls === undefined ? `http://${this.address}` : 'https://localhost';
    return `${host}:${this.clientPort}`;
  }

  get address(): string {
    return this.#member.address;
  }

  /** Processor time that it has used since it was started, in milliseconds. */
  cpuMs(): number {
    const pid = this.#process?.pid;
    if (pid === undefined) return 0;
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    // utime and stime, in ticks of 10 ms; proc(5) counts them as fields 14 and 15.
    return (Number(fields[11]) + Number(fields[12])) * 10;
  }

  /** Runs the process again after {@link stop}, on the same ports and data. */
  async start(): Promise<void> {
    this.launch();
    await this.untilHealthy();
  }

  /** Runs the process without waiting until it serves. */
  launch(): void {
    const { namespace } = this.#member;
    const into = namespace === undefined ? [] : ['nsenter', `--net=${namespace}`, '--'];
    const [program = '', ...rest] = [...into, 'etcd', ...this.#arguments()];
    const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = child;
    this.#output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        this.#output = (this.#output + chunk).slice(-4_000);
      });
  }

  /** Waits until the member answers, with its fellows. */
  async untilHealthy(): Promise<void> {
    const child = this.#process;
    const startedMs = systemClock.monotonicMs();
    while (!(await this.#isHealthy())) {
      if (child === undefined || child.exitCode !== null || systemClock.monotonicMs() - startedMs > healthPatienceMs)
        throw new Error(`etcd did not become healthy:\n${this.#output}`);
      await sleep(systemClock, lookEveryMs);
    }
  }

  /** Ends the process; the data stays. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGKILL'): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    const impatience = systemClock.setTimer(stopPatienceMs, () => child.kill('SIGKILL'));
    await exited;
    impatience.cancel();
  }

  /** Begins anew with no data: the same cluster to its clients, or another one. */
  async replace(by: { readonly isForeign: boolean }): Promise<void> {
    await this.erase(by);
    await this.start();
  }

  /** Keeps a copy of its data; it is down for a moment. */
  async backup(): Promise<void> {
    await this.copy('backup');
    await this.start();
  }

  /** Goes on from the last copy. */
  async restore(): Promise<void> {
    await this.copy('restore');
    await this.start();
  }

  /** Ends the process, and copies its data to or from where the backup is. */
  async copy(what: 'backup' | 'restore'): Promise<void> {
    await this.stop();
    const [data, backup] = [join(this.#directory, 'data'), join(this.#directory, 'backup')];
    const [from, to] = what === 'backup' ? [data, backup] : [backup, data];
    rmSync(to, { recursive: true, force: true });
    // A member that was frozen before it served has nothing yet.
    if (hasDirectory(from)) cpSync(from, to, { recursive: true });
  }

  /** Ends the process and removes what it knew; it may start again as another cluster's. */
  async erase({ isForeign }: { readonly isForeign: boolean }): Promise<void> {
    await this.stop();
    rmSync(join(this.#directory, 'data'), { recursive: true, force: true });
    if (isForeign) this.#token += '+';
  }

  /** Stops the process in its tracks, without ending it, or lets it run again. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#process?.kill(signal);
  }

  /** Stops the process in its tracks; none of its threads runs any more when this is done. */
  async freeze(): Promise<void> {
    this.signal('SIGSTOP');
    const tasks = `/proc/${this.#process?.pid}/task`;
    const isStopped = (task: string) => /\) T /.test(readFileSync(join(tasks, task, 'stat'), 'utf8'));
    await waitUntil({
      what: 'etcd has stopped',
      read: async () => readdirSync(tasks).every(isStopped),
      until: (isFrozen) => isFrozen,
      intervalMs: 1,
    });
  }

  /** Ends it and removes its data. */
  async remove(): Promise<void> {
    await this.stop();
    this.#removeAll();
    process.removeListener('exit', this.#removeAll);
  }

  readonly #removeAll = () => {
    this.#process?.kill('SIGKILL');
    rmSync(this.#directory, { recursive: true, force: true });
  };

  #arguments(): string[] {
    const { tls, extraArguments = [] } = this.#options;
    const { name, address, healthPort } = this.#member;
    return [
      `--name=${name}`,
      `--data-dir=${join(this.#directory, 'data')}`,
      `--listen-client-urls=${this.url.replace('localhost', '127.0.0.1')}`,
      `--advertise-client-urls=${this.url}`,
      `--listen-peer-urls=${peerUrl(this.#member)}`,
      `--initial-advertise-peer-urls=${peerUrl(this.#member)}`,
      `--listen-metrics-urls=http://${address}:${healthPort}`,
      `--initial-cluster=${this.#initialCluster}`,
      `--initial-cluster-token=${this.#token}`,
      '--log-level=warn',
      ...(tls === undefined
        ? []
        : [`--trusted-ca-file=${tls.ca}`, `--cert-file=${tls.cert}`, `--key-file=${tls.key}`, '--client-cert-auth']),
      ...extraArguments,
    ];
  }

  async #isHealthy(): Promise<boolean> {
    try {
      const response = await fetch(`http://${this.address}:${this.#member.healthPort}/health`, {
        signal: AbortSignal.timeout(1_000),
      });
      return JSON.stringify(await response.json()).includes('true');
    } catch {
      // Refused or slow: not yet.
      return false;
    }
  }
}

function peerUrl({ address, peerPort }: Member): string {
  return `http://${address}:${peerPort}`;
}

function hasDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
