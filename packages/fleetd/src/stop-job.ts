import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Config } from './config.js';

const run = promisify(execFile);

/** systemd answers in milliseconds; while it shuts down it may not answer at all. */
const answerTimeoutMs = 5_000;

/**
 * Whether a request to end means to leave the cluster: what `on_stop` says, or, if it says `auto`, whether systemd is
 * stopping this service for good (`systemctl stop`, power-off) rather than restarting or killing it.
 */
export async function meansToLeave(onStop: Config['onStop'], isUserManager: boolean): Promise<boolean> {
  if (onStop !== 'auto') return onStop === 'leave';
  try {
    const unit = ownUnit(await readFile('/proc/self/cgroup', 'utf8'));
    if (unit === undefined) return false;
    const manager = isUserManager ? ['--user'] : [];
    const args = [...manager, 'list-jobs', '--no-legend', '--plain', '--', unit];
    return jobType((await run('systemctl', args, { timeout: answerTimeoutMs })).stdout, unit) === 'stop';
  } catch {
    // Not under systemd, or no answer: staying harms no unit, leaving would stop them all.
    return false;
  }
}

/** The service that a process belongs to, from its `/proc/<pid>/cgroup`. */
export function ownUnit(cgroups: string): string | undefined {
  for (const line of cgroups.split('\n')) {
    const [, controllers, path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    const last = path.split('/').at(-1) ?? '';
    // In the other hierarchies of cgroup v1 a user's services are all in the user manager's own group.
    if ((controllers === '' || controllers === 'name=systemd') && last.endsWith('.service')) return last;
  }
  return undefined;
}

/** The type of the job on `unit` in the output of `systemctl list-jobs`: `JOB UNIT TYPE STATE` a line. */
export function jobType(jobs: string, unit: string): string | undefined {
  for (const line of jobs.split('\n')) {
    const [, name, type] = line.trim().split(/\s+/);
    if (name === unit) return type;
  }
  return undefined;
}
