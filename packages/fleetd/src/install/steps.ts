import { execFile } from 'node:child_process';
import { chmod, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { InstallError } from '../errors.js';
import type { Places } from './places.js';

const run = promisify(execFile);

/** One thing that is done to a host, or left undone and said. */
export type Step =
  | { readonly kind: 'write'; readonly path: string; readonly content: Buffer; readonly mode: number }
  /** A directory. */
  | { readonly kind: 'make'; readonly path: string; readonly mode: number }
  /** A file, or a directory with all that is in it. */
  | { readonly kind: 'remove'; readonly path: string }
  /** Names more than one, separated by blanks, where the same holds for all. */
  | { readonly kind: 'keep'; readonly path: string; readonly why: string }
  | { readonly kind: 'run'; readonly argv: readonly string[]; readonly hint?: string };

/** What to do if systemd can't start or stop fleetd. */
export function journalHint({ manager }: Places): string {
  return `"journalctl --${manager === 'user' ? 'user-' : ''}unit=fleet.service" says more`;
}

/** A step as one line. */
export function describeStep(step: Step): string {
  switch (step.kind) {
    case 'write':
    case 'make':
    case 'remove':
      return `${step.kind} ${step.path}`;
    case 'keep':
      return `keep ${step.path}: ${step.why}`;
    case 'run':
      return `run ${step.argv.join(' ')}`;
  }
}

/** Does it. @throws InstallError if the host refuses */
export async function carryOut(step: Step): Promise<void> {
  try {
    await act(step);
  } catch (error) {
    const hint = step.kind === 'run' ? step.hint : undefined;
    throw new InstallError(`could not ${describeStep(step)}: ${reasonOf(error)}`, hint);
  }
}

async function act(step: Step): Promise<void> {
  switch (step.kind) {
    case 'write':
      return replaceFile(step);
    case 'make':
      await mkdir(step.path, { recursive: true });
      return chmod(step.path, step.mode); // whatever the umask
    case 'remove':
      return rm(step.path, { recursive: true, force: true });
    case 'keep':
      return;
    case 'run': {
      const [program = '', ...args] = step.argv;
      await run(program, args);
    }
  }
}

/** Somebody may be running the old program, or reading the old unit. */
async function replaceFile({ path, content, mode }: Extract<Step, { kind: 'write' }>): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.new`;
  const file = await open(temporary, 'w', mode);
  try {
    await file.chmod(mode); // whatever the umask
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

/** What a program said last, or the error itself. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const said = 'stderr' in error && typeof error.stderr === 'string' ? error.stderr.trim() : '';
  return said === '' ? error.message : said;
}
