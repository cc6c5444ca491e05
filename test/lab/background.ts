import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { createCgroup } from './cgroup.js';

export interface BackgroundOptions {
  readonly argv: readonly string[];
  /** See {@link createCgroup}. */
  readonly cgroup: string;
  /** Its standard output and error are added to this file. */
  readonly log: string;
}

/** Moves the shell that runs it into control groups (their count, their `cgroup.procs`), then becomes the command. */
const enterAndExec =
  'n=$1; shift; while [ "$n" -gt 0 ]; do echo $$ > "$1" || exit; shift; n=$((n - 1)); done; exec "$@"';

/**
 * Starts a process in a control group of its own, by which it is found and ended even if this process is killed. It
 * does not keep this process running.
 */
export async function startBackground({ argv, cgroup, log }: BackgroundOptions): Promise<ChildProcess> {
  const groups = await createCgroup(cgroup);
  const output = openSync(log, 'a');
  const child = spawn('sh', ['-c', enterAndExec, 'sh', String(groups.length), ...groups, ...argv], {
    stdio: ['ignore', output, output],
    detached: true,
  });
  closeSync(output);
  child.unref();
  return child;
}
