import { spawn } from 'node:child_process';

/** What a finished process left. `code` is 128 + n if signal n ended it, as in a shell. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  /** Fed to the process; without it, its input is empty. */
  readonly stdin?: string | Uint8Array;
  /** The process is killed and the call rejects after this long. @default 60_000 */
  readonly timeoutMs?: number;
}

/** The whole environment of what runs in a lab: nothing of the developer's own shell gets in. */
const environment = {
  PATH: '/opt/node:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LANG: 'C.UTF-8',
};

const signalNumbers: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

/**
 * Runs a program and returns whatever it said; a non-zero exit is a value, not an error.
 *
 * @throws Error if the program can't be started or is not done in time.
 */
export function runCommand(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const [program = '', ...args] = argv;
  const { stdin = '', timeoutMs = 60_000 } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: environment, timeout: timeoutMs, killSignal: 'SIGKILL' });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.stdin.on('error', () => {}); // a program may end without reading its input
    child.stdin.end(stdin);
    child.on('error', reject);
    child.on('close', (exitCode, signal) => {
      const result = { stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() };
      if (child.killed) reject(new Error(`not done after ${timeoutMs} ms: ${argv.join(' ')}\n${result.stderr}`));
      else resolve({ code: exitCode ?? 128 + (signalNumbers[signal ?? ''] ?? 0), ...result });
    });
  });
}

/**
 * Runs a program that has to succeed.
 *
 * @returns Its standard output.
 * @throws Error with what it said, if it exits with anything but 0.
 */
export async function mustRun(argv: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await runCommand(argv, options);
  if (code !== 0) throw new Error(`exit ${code}: ${argv.join(' ')}\n${stderr}${stdout}`);
  return stdout;
}
