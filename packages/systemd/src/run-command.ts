import { execFile } from 'node:child_process';
import { SystemdUnreachable } from './errors.js';

/** What a finished command left behind. A failing exit code is a value, not an error. */
export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program with an argument vector, never through a shell. */
export type RunCommand = (program: string, args: readonly string[]) => Promise<CommandResult>;

/** Longer than any call here takes (none waits for a job): systemctl's own bus timeout is 90 s. */
const timeoutMs = 100_000;

/** A listing of 10,000 units is about 2 MB. */
const largestOutput = 64 * 1024 * 1024;

/**
 * Runs a program of this machine.
 *
 * @throws SystemdUnreachable if it can't be started or does not end in time.
 */
export const runCommand: RunCommand = (program, args) =>
  new Promise((resolve, reject) => {
    const options = { timeout: timeoutMs, maxBuffer: largestOutput, encoding: 'utf8' } as const;
    execFile(program, [...args], options, (error, stdout, stderr) => {
      if (error === null) resolve({ exitCode: 0, stdout, stderr });
      else if (typeof error.code === 'number') resolve({ exitCode: error.code, stdout, stderr });
      else reject(new SystemdUnreachable(`${program} ${args[0] ?? ''} did not run to its end`, error));
    });
  });
