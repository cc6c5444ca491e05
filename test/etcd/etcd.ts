import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sleep, systemClock } from '@flotilla/runtime';
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

/** An etcd of one member on loopback, with its data in memory where the machine allows it. */
export class TestEtcd {
  readonly clientPort: number;
  readonly #peerPort: number;
  readonly #directory: string;
  readonly #extraArguments: readonly string[];
  #token = 'flotilla-test';
  #process: ChildProcess | undefined;
  #output = '';

  private constructor(ports: readonly [number, number], extraArguments: readonly string[]) {
    [this.clientPort, this.#peerPort] = ports;
    this.#extraArguments = extraArguments;
    this.#directory = mkdtempSync(join(hasDirectory('/dev/shm') ? '/dev/shm' : tmpdir(), 'flotilla-etcd-'));
    process.once('exit', this.#removeAll);
  }

  /** Starts one and waits until it is healthy. */
  static async start(extraArguments: readonly string[] = []): Promise<TestEtcd> {
    const [clientPort = 0, peerPort = 0] = await freePorts(2);
    const etcd = new TestEtcd([clientPort, peerPort], extraArguments);
    await etcd.start();
    return etcd;
  }

  get url(): string {
    return `http://127.0.0.1:${this.clientPort}`;
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
    const child = spawn('etcd', this.#arguments(), { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = child;
    this.#output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        this.#output = (this.#output + chunk).slice(-4_000);
      });
    const startedMs = systemClock.monotonicMs();
    while (!(await this.#isHealthy())) {
      if (child.exitCode !== null || systemClock.monotonicMs() - startedMs > healthPatienceMs)
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
  async replace({ isForeign }: { readonly isForeign: boolean }): Promise<void> {
    await this.stop();
    rmSync(join(this.#directory, 'data'), { recursive: true, force: true });
    if (isForeign) this.#token += '+';
    await this.start();
  }

  /** Stops the process in its tracks, without ending it, or lets it run again. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#process?.kill(signal);
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
    const peerUrl = `http://127.0.0.1:${this.#peerPort}`;
    return [
      '--name=test',
      `--data-dir=${join(this.#directory, 'data')}`,
      `--listen-client-urls=${this.url}`,
      `--advertise-client-urls=${this.url}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=test=${peerUrl}`,
      `--initial-cluster-token=${this.#token}`,
      '--log-level=warn',
      ...this.#extraArguments,
    ];
  }

  async #isHealthy(): Promise<boolean> {
    try {
      const response = await fetch(`${this.url}/health`, { signal: AbortSignal.timeout(1_000) });
      return JSON.stringify(await response.json()).includes('true');
    } catch {
      // Refused or slow: not yet.
      return false;
    }
  }
}

function hasDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
