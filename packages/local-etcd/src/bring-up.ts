import { chmod, lstat, mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Clock, sleep } from '@flotilla/runtime';
import type { CommandResult, RunCommand } from '@flotilla/systemd';
import { LocalEtcdFailed } from './errors.js';
import { exists } from './look-around.js';
import { type LocalEtcdPlaces, localEtcdUnit } from './places.js';
import { localEtcdUnitText } from './unit-text.js';
import { writeDurably } from './write-durably.js';

export interface BringUpOptions {
  readonly places: LocalEtcdPlaces;
  /** The etcd program's path. */
  readonly program: string;
  readonly user: boolean;
  readonly clock: Clock;
  readonly run: RunCommand;
  readonly signal: AbortSignal;
}

/** An etcd of one member is there in a second or two; one that reads a large log may take longer, and is not hurried. */
const patienceMs = 20_000;
const lookEveryMs = 100;

/** As much of the journal as fits a line of the log. */
const journalLines = 3;

/**
 * Sees to it that the host's own etcd runs. Does nothing if it does.
 *
 * @throws LocalEtcdFailed with what is in the way.
 */
export async function bringUp(options: BringUpOptions): Promise<void> {
  const { places, program, user } = options;
  await makePrivate(places.directory);
  if (!(await exists(places.marker))) await writeDurably(places.marker, 'fleetd uses the etcd in this directory.\n');
  const text = localEtcdUnitText({ program, directory: places.directory, user });
  if ((await readFile(places.unitFile, 'utf8').catch(() => undefined)) !== text) {
    await mkdir(dirname(places.unitFile), { recursive: true });
    await writeDurably(places.unitFile, text);
    await mustSystemctl(options, ['daemon-reload']);
  }
  if ((await readState(options)).active === 'active') return;
  await mustSystemctl(options, ['start', '--no-block', localEtcdUnit]);
  await untilActive(options);
}

/** Who gets at the socket or the data is root on this host: nobody else may be in that directory. */
async function makePrivate(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const found = await lstat(directory);
  if (!found.isDirectory() || found.uid !== process.getuid?.())
    throw new LocalEtcdFailed(`${directory} is not a directory of fleetd's own`);
  await chmod(directory, 0o700);
}

async function untilActive(options: BringUpOptions): Promise<void> {
  const { clock, signal } = options;
  const deadlineMs = clock.monotonicMs() + patienceMs;
  while (!signal.aborted) {
    const { active, result } = await readState(options);
    if (active === 'active') return;
    if (active === 'failed' || result !== 'success')
      throw new LocalEtcdFailed(`${localEtcdUnit} does not start`, await lastWords(options));
    if (clock.monotonicMs() > deadlineMs)
      throw new LocalEtcdFailed(
        `${localEtcdUnit} has been starting for ${patienceMs / 1000} s`,
        await lastWords(options),
      );
    await sleep(clock, lookEveryMs, signal);
  }
}

interface UnitState {
  readonly active: string;
  /** How it ended last. */
  readonly result: string;
}

async function readState(options: BringUpOptions): Promise<UnitState> {
  const wanted = ['ActiveState', 'Result'].map((name) => `--property=${name}`);
  const lines = (await mustSystemctl(options, ['show', ...wanted, localEtcdUnit])).stdout.split('\n');
  const value = (name: string) => lines.find((line) => line.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
  return { active: value('ActiveState'), result: value('Result') };
}

async function lastWords({ user, run }: BringUpOptions): Promise<string> {
  const unit = user ? `--user-unit=${localEtcdUnit}` : `--unit=${localEtcdUnit}`;
  const { stdout } = await run('journalctl', [unit, '--no-pager', '--quiet', '--output=cat', '--lines=40']);
  return findLastWords(stdout);
}

/** The gist of etcd's own last lines; of its JSON, message and error. */
export function findLastWords(journal: string): string {
  const own = journal.split('\n').flatMap((line) => {
    if (!line.startsWith('{')) return /^panic:|^fatal error:/.test(line) ? [line] : [];
    try {
      const { level, msg, error } = JSON.parse(line) as Readonly<Record<string, unknown>>;
      if (level === 'info' || level === 'debug') return [];
      return [error === undefined ? String(msg) : `${String(msg)}: ${String(error)}`];
    } catch {
      return [line];
    }
  });
  return own.slice(-journalLines).join('; ');
}

async function mustSystemctl({ user, run }: BringUpOptions, args: readonly string[]): Promise<CommandResult> {
  const result = await run('systemctl', [...(user ? ['--user'] : []), ...args]);
  if (result.exitCode !== 0) throw new LocalEtcdFailed(`systemctl ${args.join(' ')}: ${result.stderr.trim()}`);
  return result;
}
