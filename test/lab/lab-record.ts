import { lstat, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { ignoreMissing, removeCgroup } from './cgroup.js';
import { mustRun } from './command.js';

const prefix = 'flotilla-lab-';
const unborn = 'flotilla-new-';
const recordFile = 'lab.json';
/** Mounted in memory on every Debian. */
const memoryDirectory = '/dev/shm';
const nspawnState = '/run/systemd/nspawn';

/** Who owns a lab. The start time tells the process from a later one with the same PID. */
interface Owner {
  readonly pid: number;
  readonly started: string;
}

/** Thrown if a lab of the wanted name is in use. */
export class LabInUseError extends Error {
  constructor(name: string, pid: number) {
    super(`the lab "${name}" is in use by process ${pid}`);
  }
}

/**
 * Claims a lab name by making its directory, which holds or names everything that the lab is made of; whatever a
 * dead process left under any name is removed first.
 *
 * @returns The lab's directory, under the temporary directory.
 * @throws LabInUseError if a living process has a lab of that name.
 */
export async function claimLab(name: string): Promise<string> {
  await removeAbandonedLabs();
  const directory = join(tmpdir(), `${prefix}${name}`);
  const draft = await mkdtemp(join(tmpdir(), `${unborn}${process.pid}-`));
  const owner: Owner = { pid: process.pid, started: (await findStartTime(process.pid)) ?? '' };
  await writeFile(join(draft, recordFile), JSON.stringify(owner));
  try {
    // Renaming onto a directory that has files fails: that makes the claim atomic.
    await rename(draft, directory);
  } catch {
    await rm(draft, { recursive: true });
    throw new LabInUseError(name, (await findOwner(directory))?.pid ?? 0);
  }
  return directory;
}

/** The process that has a lab of that name, if one lives. */
export async function findLabOwner(name: string): Promise<number | undefined> {
  return (await findOwner(join(tmpdir(), `${prefix}${name}`)))?.pid;
}

/** Removes the labs whose owners are dead, whatever state they are in. */
export async function removeAbandonedLabs(): Promise<void> {
  for (const entry of await readdir(tmpdir())) {
    const path = join(tmpdir(), entry);
    // Anyone may write to the temporary directory: what others put there is not ours to remove.
    if ((await lstat(path).catch(ignoreMissing))?.uid !== process.getuid?.()) continue;
    if (entry.startsWith(prefix) && (await findOwner(path)) === undefined) await removeLab(path);
    const draftedBy = new RegExp(`^${unborn}(\\d+)-`).exec(entry)?.[1];
    if (draftedBy !== undefined && (await findStartTime(Number(draftedBy))) === undefined) {
      await rm(path, { recursive: true });
    }
  }
}

/** Ends and removes all that belongs to a lab: processes, mounts, namespaces, files. Safe to repeat. */
export async function removeLab(directory: string): Promise<void> {
  const name = basename(directory);
  await removeCgroup(name);
  for (const mount of await mountsBelow(directory)) await mustRun(['umount', mount]);
  const left = await mountsBelow(directory);
  // Deleting through a mount would delete what is mounted: the machine's own /usr, at worst.
  if (left.length > 0) throw new Error(`still mounted, so nothing is deleted: ${left.join(' ')}`);
  await removeNspawnState(directory, name);
  await rm(memoryPath(directory), { recursive: true, force: true });
  await rm(directory, { recursive: true, force: true });
}

/** Where a lab may keep what should cost no disk writes; a directory in memory if the machine has one. */
export function memoryPath(directory: string): string {
  return join(memoryDirectory, basename(directory));
}

/** systemd-nspawn forgets these if it is killed, and where /run is on a disk. */
async function removeNspawnState(directory: string, name: string): Promise<void> {
  for (const entry of (await readdir(join(nspawnState, 'propagate')).catch(ignoreMissing)) ?? []) {
    if (entry.startsWith(`${name}-`)) await rm(join(nspawnState, 'propagate', entry), { recursive: true });
  }
  for (const host of (await readdir(join(directory, 'hosts')).catch(ignoreMissing)) ?? []) {
    const root = await lstat(join(directory, 'hosts', host)).catch(ignoreMissing);
    if (root !== undefined) await rm(join(nspawnState, 'locks', `inode-${root.dev}:${root.ino}`), { force: true });
  }
}

async function mountsBelow(directory: string): Promise<string[]> {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n');
  const points = lines.map((line) => line.split(' ')[4] ?? '');
  return points.filter((point) => point.startsWith(`${directory}/`)).reverse();
}

async function findOwner(directory: string): Promise<Owner | undefined> {
  const text = await readFile(join(directory, recordFile), 'utf8').catch(ignoreMissing);
  if (text === undefined) return undefined;
  const owner = JSON.parse(text) as Owner;
  return (await findStartTime(owner.pid)) === owner.started ? owner : undefined;
}

/** The kernel's start time of a living process: field 22 of its stat line; the name in field 2 may have blanks. */
async function findStartTime(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(ignoreMissing);
  const [state, ...rest] = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
  return state === 'Z' ? undefined : rest[18];
}
