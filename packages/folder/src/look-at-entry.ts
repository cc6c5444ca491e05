import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { lstat, readlink, stat } from 'node:fs/promises';
import { entryKind, misnameProblem } from './entry-kind.js';
import type { FolderEntry, FolderFault } from './folder-model.js';
import { errorCode } from './io-errors.js';
import { readSafely, unreadable } from './read-safely.js';

/** What counts as a fault. */
export interface EntryRules {
  /** Files are taken whoever may write to them. */
  readonly isTrusted: boolean;
}

interface EntryPlace {
  readonly path: string;
  readonly name: string;
}

/** What is behind a name. */
interface FoundEntry {
  readonly stamp: string;
  /** Of a symlink. */
  readonly target?: string;
  readonly behind: BigIntStats | FolderFault;
}

/** How often an entry is looked at again that becomes another one under our eyes. */
const tries = 3;

/** The device number of /dev/null on Linux: major 1, minor 3. */
const nullDevice = 0x103n;

/** Looks at one entry; `undefined`: it is not there any more, or means nothing. */
export async function lookAtEntry(
  place: EntryPlace,
  previous: FolderEntry | undefined,
  rules: EntryRules,
): Promise<FolderEntry | undefined> {
  const { name } = place;
  const kind = entryKind(name);
  if (kind === 'misnamed')
    return { name, content: { kind: 'misnamed', message: misnameProblem(name) }, signature: kind };
  for (let attempt = 1; attempt <= tries; attempt++) {
    const found = await findEntry(place.path);
    if (found === undefined) return undefined;
    if (kind === 'drop-in') return dropIn(name, found);
    const fault = findFault(found.behind, rules);
    if (fault !== undefined) return toEntry(name, found, fault);
    if (previous?.isSure === true && stampIn(previous) === found.stamp) return previous;
    const read = await readSafely(place.path);
    if (read.kind === 'fault') return toEntry(name, found, read.fault);
    if (read.kind === 'gone') continue;
    return withBytes(toEntry(name, found, read.bytes), read.bytes, previous);
  }
  return undefined;
}

/** Another one when what is behind a name may have other content. */
function stampOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
}

/** Whether there is something else behind the name now, without reading it. */
export async function hasEntryMoved(path: string, previous: FolderEntry): Promise<boolean> {
  const found = await findEntry(path);
  return found?.stamp !== stampIn(previous);
}

async function findEntry(path: string): Promise<FoundEntry | undefined> {
  try {
    const own = await lstat(path, { bigint: true });
    return own.isSymbolicLink() ? await follow(path) : { stamp: stampOf(own), behind: own };
  } catch (error) {
    // What does not let itself be looked at is told; only what is not there is gone.
    return errorCode(error) === 'ENOENT' ? undefined : { stamp: errorCode(error), behind: unreadable(error) };
  }
}

async function follow(path: string): Promise<FoundEntry> {
  const target = await readlink(path);
  try {
    const behind = await stat(path, { bigint: true });
    return { target, behind, stamp: `${stampOf(behind)} <- ${target}` };
  } catch (error) {
    return { target, behind: linkFault(error, target), stamp: `${errorCode(error)} <- ${target}` };
  }
}

function linkFault(error: unknown, target: string): FolderFault {
  const code = errorCode(error);
  const where = `is a link to ${target}`;
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return { kind: 'dangling', message: `${where}, which is not there: bring it back, or remove the link` };
  if (code === 'ELOOP') return { kind: 'loop', message: `${where}, which leads back to it: remove the link` };
  const { message } = unreadable(error);
  return { kind: 'unreadable', message: `${where} and ${message}` };
}

/** Why what is behind the name is not to be opened. */
function findFault(behind: FoundEntry['behind'], { isTrusted }: EntryRules): FolderFault | undefined {
  if ('message' in behind) return behind;
  if (behind.isDirectory())
    return { kind: 'directory', message: 'is a directory: a unit is a file; move it elsewhere' };
  if (behind.isCharacterDevice() && behind.rdev === nullDevice)
    return { kind: 'masked', message: 'is /dev/null, and masks nothing in a cluster: to have no such unit, remove it' };
  if (!behind.isFile())
    return { kind: 'special', message: 'is a pipe, a socket or a device: a unit is a file; remove it' };
  if (isTrusted || (behind.mode & 0o002n) === 0n) return undefined;
  const message = 'every user of this host may write to it, and would be root on the cluster: chmod o-w';
  return { kind: 'open-to-all', message };
}

function dropIn(name: string, { stamp, behind }: FoundEntry): FolderEntry | undefined {
  if ('message' in behind || !behind.isDirectory()) return undefined;
  const message = 'drop-ins are not supported: put the lines into the file';
  return { name, content: { kind: 'drop-in', message }, signature: `drop-in ${stamp}` };
}

function toEntry(name: string, { stamp, target }: FoundEntry, content: FolderEntry['content']): FolderEntry {
  const kind = content instanceof Uint8Array ? createHash('sha1').update(content).digest('hex') : content.kind;
  return { name, content, ...(target !== undefined && { target }), signature: `${kind} ${stamp}` };
}

/** The entry as it was, if nothing has changed: surer than before, as a file may change twice within a tick of its clock. */
function withBytes(entry: FolderEntry, bytes: Uint8Array, previous: FolderEntry | undefined): FolderEntry {
  const known = previous?.content;
  if (!(known instanceof Uint8Array) || Buffer.compare(known, bytes) !== 0) return entry;
  const content = known;
  return previous?.signature === entry.signature ? { ...entry, content, isSure: true } : { ...entry, content };
}

/** The stamp in the signature of an entry, behind what was found there. */
function stampIn({ signature }: FolderEntry): string {
  return signature.slice(signature.indexOf(' ') + 1);
}
