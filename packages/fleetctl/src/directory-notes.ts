import type { DirectoryConflictEntity, DirectoryProblemEntity, HeldRemovalsWord } from '@flotilla/schema';
import { type DirectoryRow, hostLabel } from './directory-rows.js';
import { countUnits } from './losses.js';
import type { Note } from './show-list.js';
import { formatSince } from './since.js';

/** So many units are named on a line; more are in the JSON. */
const mostNamed = 8;

/** So many errors, and so many conflicts, are told of a directory. Taste: a screenful. */
const mostTold = 20;

/** Why what is gone from a directory is not taken for removed. */
const reasons: Readonly<Record<HeldRemovalsWord, string>> = {
  'most-gone': 'more than half of its files are gone at once',
  'directory-gone': 'the directory is gone, or can not be read',
  'another-directory': 'another directory is in its place, with none of its files',
  'older-copy': 'the disk of the host is older than what the cluster knows of it',
  'not-configured': 'unit_dirs of the host does not name it any more',
};

/** Why a host holds removals back, in words. */
export function heldReason(why: HeldRemovalsWord): string {
  return Object.hasOwn(reasons, why) ? reasons[why] : why;
}

/** Names, the first of them: `a.service b.service and 3 more`. */
export function nameSome(names: readonly string[], count = names.length): string {
  const named = names.slice(0, mostNamed);
  const rest = count - named.length;
  return rest > 0 ? `${named.join(' ')} and ${rest} more` : named.join(' ');
}

/** What is not as it should be in directories, and what to do about it: a line each, those of a directory together. */
export function describeConcerns(rows: readonly DirectoryRow[], nowMs: number): Note[] {
  const names = new Set(rows.map(({ directory }) => directory));
  return [...names].flatMap((name) => {
    const own = rows.filter(({ directory }) => directory === name);
    return [
      ...describeErrors(name, own).map((text): Note => ({ tone: 'bad', text })),
      ...[
        ...describeConflicts(name, own),
        ...own.flatMap((row) => describeHeld(row, nowMs)),
        ...own.flatMap(describeAbsence),
        ...own.flatMap(describeBehind),
      ].map((text): Note => ({ tone: 'waiting', text })),
    ];
  });
}

function describeErrors(name: string, rows: readonly DirectoryRow[]): string[] {
  const told = together(
    rows.flatMap((row) => row.host.problems.map((problem) => [placeOf(row, problem), labelOf(row)] as const)),
  );
  const count = Math.max(told.size, ...rows.map(({ host }) => host.problemCount));
  if (count === 0) return [];
  return [
    `Errors in ${name}; what is wrong changes nothing, what ran before runs on:`,
    ...[...told].slice(0, mostTold).map(([text, hosts]) => `  ${text} (${nameSome(hosts)})`),
    ...more(count, 'errors'),
  ];
}

function placeOf({ host }: DirectoryRow, { source, line, message }: DirectoryProblemEntity): string {
  const path = host.path === '' || source.startsWith('/') ? source : `${host.path}/${source}`;
  return `${path}:${line === undefined ? '' : `${line}:`} ${message}`;
}

function describeConflicts(name: string, rows: readonly DirectoryRow[]): string[] {
  const conflicts = rows.flatMap((row) => row.host.conflicts.map((conflict) => ({ ...conflict, label: labelOf(row) })));
  const told = together(conflicts.map((conflict) => [sayConflict(conflict), conflict.label] as const));
  const count = Math.max(told.size, ...rows.map(({ host }) => host.conflictCount));
  if (count === 0) return [];
  const units = [...new Set(conflicts.map(({ unit }) => unit))];
  return [
    `Conflicts in ${name}, whose files of these units count for nothing:`,
    ...[...told].slice(0, mostTold).map(([text, hosts]) => `  ${text} (${nameSome(hosts)})`),
    ...more(count, 'conflicts'),
    `  Remove the files, or give ${name} the units: fleetctl adopt --owner ${name} ${units.length > mostNamed ? 'UNIT...' : units.join(' ')}`,
  ];
}

function sayConflict({ unit, owner }: DirectoryConflictEntity): string {
  return owner === undefined ? `${unit} belongs to no directory` : `${unit} belongs to the directory ${owner}`;
}

function describeHeld(row: DirectoryRow, nowMs: number): string[] {
  const { held, isLost } = row.host;
  if (held === undefined || isLost === true) return [];
  const [what, end] =
    held.why === 'not-configured' ? ['', 'it names it again'] : [' without a file', 'the files are back'];
  return [
    `Held back in ${row.directory} on ${labelOf(row)} ${formatSince(held.since, nowMs)}: ${heldReason(held.why)}`,
    `  ${countUnits(held.count)}${what}: ${nameSome(held.units, held.count)}`,
    `  It is over when ${end}. If they are meant to go: fleetctl dirs confirm ${row.directory}`,
  ];
}

function describeAbsence({ directory, host }: DirectoryRow): string[] {
  if (host.isLost !== true) return [];
  const has = `${hostLabel(host)} is not in the cluster; what it had in ${directory} stays, ${countUnits(host.units)}`;
  return [`${has}. If it does not come back: fleetctl dirs forget ${host.claimant.slice(0, 8)}`];
}

function describeBehind(row: DirectoryRow): string[] {
  const { behind = [] } = row;
  if (behind.length === 0) return [];
  return [
    `Files of ${row.directory} on ${labelOf(row)} that are not what the cluster runs: ${nameSome(behind)}`,
    '  They count when they are changed. `fleetctl cat` shows what runs.',
  ];
}

function labelOf({ host }: DirectoryRow): string {
  return hostLabel(host);
}

function more(count: number, what: string): string[] {
  return count > mostTold ? [`  ... and ${count - mostTold} more ${what}`] : [];
}

/** What several hosts say, once, with their names. */
function together(said: readonly (readonly [text: string, label: string])[]): Map<string, string[]> {
  const hosts = new Map<string, string[]>();
  for (const [text, label] of said) hosts.set(text, [...(hosts.get(text) ?? []), label]);
  return hosts;
}
