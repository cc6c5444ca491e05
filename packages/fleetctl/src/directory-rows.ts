import type {
  DirectoryChangeEntity,
  DirectoryDetailEntity,
  DirectoryEntity,
  DirectoryHostEntity,
  DirectoryUnitEntity,
  HeldRemovalsEntity,
} from '@flotilla/schema';
import type { ListLayout } from './list-output.js';
import { machineLabel } from './machine-label.js';
import { formatSpan } from './since.js';

/** The claimant of `fleetctl apply`. */
export const applyClaimant = 'apply';

/** A directory on one host. */
export interface DirectoryRow {
  readonly directory: string;
  readonly host: DirectoryHostEntity;
  /** Units of which it has an older file than the cluster, by name; `undefined` if that was not read. */
  readonly behind: readonly string[] | undefined;
  /** When and what it changed last. */
  readonly changed: string;
}

/** So many units are named on a line of a table. */
const mostNamed = 3;

export const directoryLayout: ListLayout<DirectoryRow> = {
  cells: {
    directory: ({ directory }) => directory,
    host: ({ host }, isFull) => hostLabel(host, isFull),
    path: ({ host }) => host.path,
    units: ({ host }) => String(host.units),
    errors: ({ host }) => String(host.problemCount),
    conflicts: ({ host }) => String(host.conflictCount),
    held: ({ host }) => String(host.held?.count ?? 0),
    behind: ({ behind }) => String(behind?.length ?? '-'),
    state: (row) => concernsOf(row).join(',') || 'ok',
    changed: ({ changed }) => changed,
  },
  defaultFields: 'directory,host,path,units,state,changed',
  wideFields: 'directory,host,path,units,errors,conflicts,held,behind,state,changed',
  keyFields: ['directory', 'host'],
  tones: {
    state: (row) => {
      if (row.host.problemCount > 0) return 'bad';
      return concernsOf(row).length > 0 ? 'waiting' : 'good';
    },
  },
  sayProblem: (message) => `Error retrieving the directories: ${message}`,
  nameOf: ({ directory }) => directory,
  entityOf: ({ directory, host }) => ({ directory, ...host }),
};

/** What a host that watches a directory is called; a word for `fleetctl apply`. */
export function hostLabel(
  { claimant, address }: Pick<DirectoryHostEntity, 'claimant' | 'address'>,
  isFull = false,
): string {
  if (claimant === applyClaimant) return applyClaimant;
  return machineLabel({ id: claimant, ...(address !== undefined && { primaryIP: address }) }, isFull);
}

/** A host that holds removals back. */
export interface HoldingHost extends DirectoryHostEntity {
  readonly held: HeldRemovalsEntity;
}

export function isHolding(host: DirectoryHostEntity): host is HoldingHost {
  return host.held !== undefined;
}

/** What is not as it should be, in the order in which it is to be seen to. */
export function concernsOf({ host, behind = [] }: DirectoryRow): string[] {
  const { isLost, isThere, problemCount, conflictCount, held } = host;
  return [
    ...(isLost === true ? ['lost'] : []),
    ...(isThere || host.claimant === applyClaimant ? [] : ['missing']),
    ...counted('held', held?.count ?? 0),
    ...counted('errors', problemCount),
    ...counted('conflicts', conflictCount),
    ...counted('behind', behind.length),
  ];
}

function counted(word: string, count: number): string[] {
  return count === 0 ? [] : [`${word}=${count}`];
}

/** A directory, with its units if they were read. */
export type ShownDirectory = DirectoryEntity | DirectoryDetailEntity;

/** The units of a directory; `undefined` if they were not read. */
export function unitsOf(directory: ShownDirectory): readonly DirectoryUnitEntity[] | undefined {
  return 'unitList' in directory ? directory.unitList : undefined;
}

/** The directories, a row for each host that has one or left something in it. Ages count from `nowMs`; without it, times are told, which do not change by themselves. */
export function directoryRows(directories: readonly ShownDirectory[], nowMs?: number): DirectoryRow[] {
  return directories.flatMap((directory) =>
    directory.hosts.filter(isOfInterest).map((host): DirectoryRow => {
      const behind = unitsOf(directory)?.filter(({ claimants }) =>
        claimants.some(({ claimant, isBehind }) => claimant === host.claimant && isBehind === true),
      );
      return {
        directory: directory.name,
        host,
        behind: behind?.map((unit) => unit.name),
        changed: host.lastChange === undefined ? '-' : describeChange(host.lastChange, nowMs),
      };
    }),
  );
}

/** A host that has gone and left nothing is none of the directory's any more. */
function isOfInterest({ isLost, units }: DirectoryHostEntity): boolean {
  return isLost !== true || units > 0;
}

/** So many hosts of a directory are shown that have no file in it. Every host has the default one; few use it. Taste. */
const mostIdle = 8;

/** The rows without hosts that have no file in a directory, where these are many; and how many were left out of each. */
export function foldIdle(rows: readonly DirectoryRow[]): {
  readonly rows: readonly DirectoryRow[];
  readonly folded: ReadonlyMap<string, number>;
} {
  const idle = new Map<string, number>();
  const isIdle = (row: DirectoryRow) => row.host.units === 0 && concernsOf(row).length === 0;
  for (const row of rows) if (isIdle(row)) idle.set(row.directory, (idle.get(row.directory) ?? 0) + 1);
  const folded = new Map([...idle].filter(([, count]) => count > mostIdle));
  return { rows: rows.filter((row) => !(folded.has(row.directory) && isIdle(row))), folded };
}

function describeChange({ at, created, changed, removed, units }: DirectoryChangeEntity, nowMs?: number): string {
  const when = nowMs === undefined ? new Date(at).toISOString() : `${formatSpan(nowMs - at)} ago`;
  const counts = [
    [created, 'created'],
    [changed, 'changed'],
    [removed, 'removed'],
  ] as const;
  const what = counts.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`);
  const named = units.slice(0, mostNamed);
  const rest = created + changed + removed - named.length;
  const names = [...named, ...(rest > 0 ? [`+${rest}`] : [])].join(' ');
  return `${when}: ${what.join(', ')} (${names})`;
}
