import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Complaint, parseComplaints } from './systemd-complaints.js';

/** A unit to ask systemd about. */
export interface UnitText {
  readonly name: string;
  readonly text: string;
}

/** What systemd says, by unit; or why it was not asked, or did not answer. */
export type SystemdAnswer =
  | { readonly kind: 'answered'; readonly complaints: ReadonlyMap<string, readonly Complaint[]> }
  | { readonly kind: 'unanswered'; readonly why: string };

/** How systemd is asked. */
export interface CheckerOptions {
  /** The units are for systemd's user manager. */
  readonly isUser: boolean;
  /** @default 'systemd-analyze' */
  readonly program?: string;
  /** @default 10_000, thousands of units take a second */
  readonly timeoutMs?: number;
}

/**
 * What systemd's own checker on this host says of units with different names, which may refer to each other. It looks at
 * copies under the units' names; `systemd-analyze verify` goes by file names.
 */
export async function askSystemd(units: readonly UnitText[], options: CheckerOptions): Promise<SystemdAnswer> {
  if (units.length === 0) return { kind: 'answered', complaints: new Map() };
  const folder = await mkdtemp(join(tmpdir(), 'fleetctl-verify-')).catch(() => undefined);
  if (folder === undefined) return { kind: 'unanswered', why: `nothing can be written to ${tmpdir()}` };
  // Ctrl-C ends the program at once.
  const clean = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', clean);
  try {
    for (const { name, text } of units) await writeFile(join(folder, name), text);
    const manager = options.isUser ? ['--user'] : [];
    const paths = units.map(({ name }) => join(folder, name));
    const ended = await runChecker([...manager, 'verify', '--man=no', ...paths], options);
    if ('why' in ended) return { kind: 'unanswered', why: ended.why };
    const names = new Set(units.map(({ name }) => name));
    const complaints = parseComplaints(ended.stderr, { folder, names });
    if (ended.isFailure && complaints.size === 0 && !isAboutUnits(ended.stderr))
      return { kind: 'unanswered', why: `it failed: ${ended.stderr.trim().split('\n').at(-1)}` };
    return { kind: 'answered', complaints };
  } finally {
    process.off('exit', clean);
    clean();
  }
}

/** Fails for every complaint too, also about this host's own units. */
function isAboutUnits(output: string): boolean {
  return /^(\/|[^\s/:]+\.[a-z]+: )/m.test(output);
}

type Ended = { readonly isFailure: boolean; readonly stderr: string } | { readonly why: string };

/** Whatever the user has set, it has to speak to us, in English, and of nothing else. */
const speech = { LC_ALL: 'C', SYSTEMD_LOG_TARGET: 'console', SYSTEMD_LOG_LEVEL: 'info', SYSTEMD_LOG_COLOR: '0' };

/** Some hundred bytes for each of 10,000 units. */
const largestOutput = 16 * 1024 * 1024;

function runChecker(args: readonly string[], options: CheckerOptions): Promise<Ended> {
  const { program = 'systemd-analyze', timeoutMs = 10_000 } = options;
  const env = { ...process.env, ...speech };
  const limits = {
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    maxBuffer: largestOutput,
    encoding: 'utf8',
    env,
  } as const;
  return new Promise((resolve) => {
    execFile(program, [...args], limits, (error, _, stderr) => {
      if (error === null) resolve({ isFailure: false, stderr });
      else if (error.code === 'ENOENT') resolve({ why: `${program} is not installed here` });
      else if (error.killed === true) resolve({ why: `${program} did not end within ${timeoutMs / 1000} s` });
      else if (typeof error.code === 'number') resolve({ isFailure: true, stderr });
      else resolve({ why: `${program} did not run to its end: ${error.message}` });
    });
  });
}
