import { constants } from 'node:fs';
import { access, readFile, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { RunCommand } from '@flotilla/systemd';
import type { Listener } from './decide.js';
import { readListener } from './listeners.js';

/** The kernel's limit for the path of a socket, without the closing zero byte. @see unix(7) */
const longestSocketPath = 107;

/** Loopback answers or refuses at once. */
const connectTimeoutMs = 1_000;

export function isSocketPathShort(path: string): boolean {
  return Buffer.byteLength(path) <= longestSocketPath;
}

/** Those of these servers that take connections. */
export async function findListeners(servers: readonly string[]): Promise<Listener[]> {
  const listeners: Listener[] = [];
  for (const server of servers) if (await takesConnections(server)) listeners.push(await readListener(server));
  return listeners;
}

function takesConnections(server: string): Promise<boolean> {
  const { hostname: host, port } = new URL(server);
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), timeout: connectTimeoutMs });
    const settle = (isTaken: boolean) => {
      socket.destroy();
      resolve(isTaken);
    };
    socket.on('connect', () => settle(true));
    socket.on('error', () => settle(false));
    socket.on('timeout', () => settle(false));
  });
}

/** What a state directory remembers of a store, in words: by the agent's assignment, or by `otherStore`. */
export async function findRememberedStore(stateDirectory: string, otherStore: string): Promise<string | undefined> {
  const assigned = await findAssigned(join(stateDirectory, 'assignment.json'));
  if (assigned !== undefined || !(await exists(otherStore))) return assigned;
  return `${otherStore} names ${(await readFile(otherStore, 'utf8').catch(String)).trim()}`;
}

/** What the agent has saved; `undefined` if the machine belongs to no cluster. */
async function findAssigned(path: string): Promise<string | undefined> {
  if (!(await exists(path))) return undefined;
  try {
    const stored: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (typeof stored !== 'object' || stored === null) return `${path} is damaged`;
    const { cluster, frozen } = { cluster: undefined, frozen: undefined, ...stored };
    if (cluster !== undefined) return `${path} names cluster ${String(cluster)}`;
    return frozen === undefined ? undefined : `${path} says ${String(frozen)}`;
  } catch (error) {
    return `${path} can't be read (${error instanceof Error ? error.message : String(error)})`;
  }
}

/** An etcd that systemd starts here by itself: one of the host's, or for a user also of the user's own. */
export async function findEnabledEtcd(run: RunCommand, user: boolean): Promise<string | undefined> {
  const list = ['list-unit-files', '--plain', '--no-legend', '--state=enabled,enabled-runtime', 'etcd*'];
  for (const manager of user ? [[], ['--user']] : [[]]) {
    const { stdout } = await run('systemctl', [...manager, ...list]);
    const unit = stdout.trim().split(/\s+/)[0] ?? '';
    if (unit !== '') return unit;
  }
  return undefined;
}

/** A program's path, by the directories in which programs are looked for. */
export async function findProgram(name: string, searchPath: readonly string[]): Promise<string | undefined> {
  for (const directory of searchPath.filter((each) => each.startsWith('/'))) {
    const path = join(directory, name);
    const isFile = (await stat(path).catch(() => undefined))?.isFile() === true;
    const isExecutable = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isFile && isExecutable) return path;
  }
  return undefined;
}

/** Whether something is there; what can't be looked at is. */
export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ENOENT');
  }
}
