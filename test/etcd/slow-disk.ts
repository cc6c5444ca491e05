import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { sleep, systemClock } from '@flotilla/runtime';

/** Why a process's disk can't be slowed down here; `undefined` if it can. */
export function slowDiskMissing(): string | undefined {
  const { error, status, stderr } = spawnSync('strace', ['-e', 'trace=fsync', '-o', '/dev/null', 'true']);
  if (error !== undefined) return 'there is no strace in PATH (apt install strace)';
  return status === 0 ? undefined : `strace may not trace processes here: ${String(stderr).trim()}`;
}

const patienceMs = 10_000;
const lookEveryMs = 20;

/** Makes each of a process's syncs to disk take longer, as on a disk that is worn out or overloaded. */
export class SlowDisk {
  readonly #tracer: ChildProcess;

  private constructor(tracer: ChildProcess) {
    this.#tracer = tracer;
  }

  static async of(pid: number, delayMs: number): Promise<SlowDisk> {
    const tracer = spawn(
      'strace',
      [
        '--follow-forks',
        `--attach=${pid}`,
        '--trace=fsync,fdatasync',
        `--inject=fsync,fdatasync:delay_enter=${delayMs * 1000}`,
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    let said = '';
    tracer.stderr?.on('data', (chunk) => {
      said = (said + chunk).slice(-4_000);
    });
    const startedMs = systemClock.monotonicMs();
    while (!said.includes('attached')) {
      if (tracer.exitCode !== null || systemClock.monotonicMs() - startedMs > patienceMs)
        throw new Error(`strace does not trace ${pid}: ${said}`);
      await sleep(systemClock, lookEveryMs);
    }
    return new SlowDisk(tracer);
  }

  /** Lets the disk be quick again. */
  async end(): Promise<void> {
    if (this.#tracer.exitCode !== null || this.#tracer.signalCode !== null) return;
    const exited = once(this.#tracer, 'exit');
    this.#tracer.kill('SIGTERM');
    await exited;
  }
}
