import { join } from 'node:path';
import { runCommand, type TestHost } from '../lab/index.js';

/** A host's journal since a time, outside of it: also of one that is off. */
export async function readJournal(
  host: TestHost,
  sinceMs: number,
  { unit, output = 'short-precise' }: { readonly unit?: string; readonly output?: string } = {},
): Promise<string> {
  const place = ['--directory', join(host.root, 'var/log/journal'), '--no-pager', '--quiet', `--output=${output}`];
  const range = [`--since=@${(sinceMs / 1_000).toFixed(3)}`, ...(unit === undefined ? [] : ['--unit', unit])];
  return (await runCommand(['journalctl', ...place, ...range])).stdout;
}

/** Who stops a unit that may not go on without contact kills, if it is late, the program as well that notes the stop. */
const killedNote = /^(\d+\.\d+) (\S+) systemd\[1\]: (\S+): Sent signal SIGKILL to control process \d+ \(+note\)+ /;

/** The stops that units could not note themselves. @param journal As `short-unix` has it. */
export function missedStops(
  journal: string,
): { readonly unit: string; readonly host: string; readonly atMs: number }[] {
  return journal.split('\n').flatMap((line) => {
    const [, seconds = '', host = '', unit = ''] = killedNote.exec(line) ?? [];
    return unit === '' ? [] : [{ unit, host, atMs: Number(seconds) * 1_000 }];
  });
}

/** How fleetd may end other than by what was done to it. */
const exited = /fleet\.service: Main process exited, code=(\w+), status=(\S+)/;
const bugs = [
  /^\s+at .+:\d+:\d+\)?$/,
  /unhandled|uncaught/i,
  /\b(inexplicable-refusal|oversized-write|short-answer|TypeError|RangeError|ReferenceError)\b/,
];

/**
 * Lines of fleetd's journal that are never to be: it has ended by itself, or says that something thought impossible has
 * happened.
 *
 * @param kills How often it was killed.
 */
export function journalFaults(journal: string, kills: number): string[] {
  const lines = journal.split('\n');
  const ends = lines.filter((line) => exited.test(line));
  const killed = ends.filter((line) => line.includes('code=killed, status=9/KILL'));
  // systemd aborts what does not answer for WatchdogSec=, and kills what does not end by that.
  const watched = lines.filter((line) => /fleet\.service: Watchdog timeout/.test(line)).length;
  const others = ends.filter((line) => !killed.includes(line) && !(watched > 0 && line.includes('status=6/ABRT')));
  const surplus = Math.max(0, killed.length - kills - watched);
  const found = lines.filter((line) => bugs.some((bug) => bug.test(line.replace(/^.*?fleetd\[\d+\]:/, ''))));
  return [...others, ...killed.slice(killed.length - surplus), ...found];
}
