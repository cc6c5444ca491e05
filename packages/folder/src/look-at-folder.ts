import type { BigIntStats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { entryKind } from './entry-kind.js';
import type { FolderEntry } from './folder-model.js';
import { errorCode, errorText } from './io-errors.js';
import { type EntryRules, hasEntryMoved, lookAtEntry } from './look-at-entry.js';

/** Why there is no folder to look at. */
export type MissingFolder = 'absent' | 'not-a-directory' | 'unreadable' | 'open-to-all';

/** What a folder was like when it was looked at. */
export type FolderLook =
  /** `message` says what is wrong and what to do, without the path. */
  | { readonly kind: 'missing'; readonly why: MissingFolder; readonly message: string }
  | {
      readonly kind: 'there';
      /** Device, inode and birth of the directory: another one is another directory, be it under the same path. */
      readonly place: string;
      /** Another one when entries have come or gone. */
      readonly stamp: string;
      /** Those that mean something, by name. */
      readonly entries: readonly FolderEntry[];
    };

type Missing = Extract<FolderLook, { readonly kind: 'missing' }>;
type ThereLook = Extract<FolderLook, { readonly kind: 'there' }>;

/** Files are read by so many at a time: more would only wait for Node's threads, and hold descriptors. Taste. */
const readers = 16;
/** How often a folder is listed again that becomes another one under our eyes: somebody mounts or swaps it. */
const tries = 3;

/**
 * Looks at a folder, and reads those of its files that have changed since `previous`.
 *
 * It never waits for a pipe, and reads nothing larger than 1 MiB. A file that can't be read is an entry with a fault;
 * one that goes while it is looked at is none. A folder where any user of this host may write is missing: whoever
 * writes there is root on the cluster. Nothing is thrown for what a file system may answer.
 */
export async function lookAtFolder(path: string, previous?: FolderLook): Promise<FolderLook> {
  return look(path, { previous, rules: { isTrusted: false } });
}

/** {@link lookAtFolder} of a folder that a person names: whoever may write to it. */
export async function lookAtNamedFolder(path: string): Promise<FolderLook> {
  return look(path, { previous: undefined, rules: { isTrusted: true } });
}

/**
 * Whether something is different from `previous`, by the least that can be asked: the folder itself, and where links
 * lead. A file that was written in place is not noticed.
 */
export async function hasFolderMoved(path: string, previous: FolderLook): Promise<boolean> {
  const now = await statFolder(path, { isTrusted: false });
  if (now.kind === 'missing') return previous.kind !== 'missing' || now.why !== previous.why;
  if (previous.kind === 'missing' || now.stamp !== previous.stamp) return true;
  const links = previous.entries.filter(({ target }) => target !== undefined);
  const moved = await mapSome(links, (link) => hasEntryMoved(`${path}/${link.name}`, link));
  return moved.includes(true);
}

async function look(
  path: string,
  { previous, rules }: { readonly previous: FolderLook | undefined; readonly rules: EntryRules },
): Promise<FolderLook> {
  const known = previous?.kind === 'there' ? previous : undefined;
  for (let attempt = 1; ; attempt++) {
    const before = await statFolder(path, rules);
    if (before.kind === 'missing') return before;
    const entries = await readEntries(path, { known, rules });
    if (!Array.isArray(entries)) return entries;
    const after = await statFolder(path, rules);
    if (after.kind === 'missing') return after;
    if (after.place === before.place) return { ...before, entries };
    if (attempt === tries) return missing('unreadable', 'another directory takes its place again and again');
  }
}

type FolderState = Missing | Omit<ThereLook, 'entries'>;

async function statFolder(path: string, { isTrusted }: EntryRules): Promise<FolderState> {
  let found: BigIntStats;
  try {
    found = await stat(path, { bigint: true });
  } catch (error) {
    return toMissing(error);
  }
  if (!found.isDirectory()) return missing('not-a-directory', 'this is not a directory');
  const problem = isTrusted ? undefined : openness(found);
  if (problem !== undefined) return missing('open-to-all', problem);
  // Inodes are given out again, births are not.
  const place = `${found.dev}:${found.ino}:${found.birthtimeNs}`;
  return { kind: 'there', place, stamp: `${place}:${found.mtimeNs}:${found.ctimeNs}` };
}

function openness({ mode, uid }: BigIntStats): string | undefined {
  if ((mode & 0o002n) !== 0n)
    return 'every user of this host may write here, and would be root on the cluster: chmod o-w';
  const mine = BigInt(process.geteuid?.() ?? 0);
  if (uid === 0n || uid === mine) return undefined;
  return `it belongs to user ${uid}, who would be root on the cluster: chown it to root`;
}

async function readEntries(
  path: string,
  { known, rules }: { readonly known: ThereLook | undefined; readonly rules: EntryRules },
): Promise<FolderEntry[] | Missing> {
  let names: string[];
  try {
    names = await readdir(path);
  } catch (error) {
    return toMissing(error);
  }
  const knownByName = new Map(known?.entries.map((entry) => [entry.name, entry]));
  const entries = await mapSome(names.filter((name) => entryKind(name) !== undefined).sort(), (name) =>
    lookAtEntry({ path: `${path}/${name}`, name }, knownByName.get(name), rules),
  );
  return entries.flatMap((entry) => entry ?? []);
}

function toMissing(error: unknown): Missing {
  const code = errorCode(error);
  if (code === 'ENOENT') return missing('absent', 'there is no such directory');
  if (code === 'ENOTDIR') return missing('not-a-directory', 'this is not a directory');
  return missing('unreadable', `cannot be read: ${errorText(error)}`);
}

function missing(why: MissingFolder, message: string): Missing {
  return { kind: 'missing', why, message };
}

/** Maps in order, some at a time. */
async function mapSome<T, R>(items: readonly T[], map: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const queue = items.entries();
  const work = async () => {
    for (const [index, item] of queue) results[index] = await map(item);
  };
  await Promise.all(Array.from({ length: readers }, work));
  return results;
}
