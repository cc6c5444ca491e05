import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { waitUntil } from './wait-until.js';

const mountPoint = '/sys/fs/cgroup';

/** Where this kernel keeps processes: one tree (cgroup v2), or systemd's named one with v2 beside it. */
function hierarchies(): string[] {
  if (existsSync(join(mountPoint, 'cgroup.controllers'))) return [mountPoint];
  return ['systemd', 'unified'].map((name) => join(mountPoint, name)).filter((path) => existsSync(path));
}

/**
 * Makes a control group in every hierarchy.
 *
 * Each host needs its own: `systemd-nspawn --keep-unit` puts its container in `payload` below the caller's group, so
 * two hosts started from one shell would share the groups of all units with equal names, and one host's `systemctl
 * stop` would wait for the other's processes.
 *
 * @param path Relative: `<lab>/<host>`.
 * @returns The `cgroup.procs` files to write a PID to.
 */
export async function createCgroup(path: string): Promise<string[]> {
  const paths = hierarchies().map((root) => join(root, path));
  for (const each of paths) await mkdir(each, { recursive: true });
  return paths.map((each) => join(each, 'cgroup.procs'));
}

/** Ends every process in the group and below, then removes the group. Does nothing if there is none. */
export async function removeCgroup(path: string): Promise<void> {
  const roots = hierarchies().map((root) => join(root, path));
  await waitUntil({
    what: `control group ${path} is gone, and its processes`,
    read: async () => {
      const groups = (await Promise.all(roots.map(groupsBelow))).flat();
      for (const pid of await members(groups)) killProcess(pid, 'SIGKILL');
      for (const group of groups.reverse()) await rmdir(group).catch(ignoreBusy);
      return groups;
    },
    until: (groups) => groups.length === 0,
    timeoutMs: 20_000,
    intervalMs: 20,
  });
}

async function members(groups: readonly string[]): Promise<Set<number>> {
  const pids = new Set<number>();
  for (const group of groups) {
    const text = await readFile(join(group, 'cgroup.procs'), 'utf8').catch(ignoreMissing);
    for (const line of (text ?? '').split('\n')) pids.add(Number(line));
  }
  // 0 stands for a process that this PID namespace can't see; as a target of kill it would be ourselves.
  pids.delete(0);
  return pids;
}

/** The group and all below it, parents first. */
async function groupsBelow(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(ignoreMissing);
  if (entries === undefined) return [];
  const found = [path];
  for (const entry of entries) if (entry.isDirectory()) found.push(...(await groupsBelow(join(path, entry.name))));
  return found;
}

/** Sends a signal; a process that is gone already is fine. */
export function killProcess(pid: number, signal: NodeJS.Signals | number): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error;
  }
}

/** For `.catch`: `undefined` instead of the error that something does not (or no longer) exist. */
export function ignoreMissing(error: unknown): undefined {
  if (!hasCode(error, 'ENOENT') && !hasCode(error, 'ENODEV')) throw error;
}

/** Processes that were just killed hold their group for a moment. */
function ignoreBusy(error: unknown): void {
  if (!hasCode(error, 'EBUSY')) ignoreMissing(error);
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
