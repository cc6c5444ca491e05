import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { type MachineId, parseMachineId } from '@flotilla/cluster';
import { FatalError } from '@flotilla/errors';
import { ConfigError } from './errors.js';

/** Where the kernel, systemd and fleetd keep who this machine is. */
export interface IdentityPaths {
  readonly machineId: string;
  readonly bootId: string;
  readonly routes: string;
}

export const identityPaths: IdentityPaths = {
  machineId: '/etc/machine-id',
  bootId: '/proc/sys/kernel/random/boot_id',
  routes: '/proc/net/route',
};

/** @throws FatalError `no-machine-id` if systemd has given this machine none. */
export async function readMachineId(path: string): Promise<MachineId> {
  try {
    return parseMachineId((await readFile(path, 'utf8')).trim());
  } catch (cause) {
    throw new FatalError('no-machine-id', `unable to determine local machine ID from ${path}`, {
      hint: 'systemd-machine-id-setup makes one',
      cause,
    });
  }
}

/** Tells one start of the kernel from another. */
export async function readBootId(path: string): Promise<string> {
  return (await readFile(path, 'utf8')).trim();
}

/**
 * The identity of this installation: random, made at the first start, kept in the state directory.
 *
 * @throws ConfigError if the state directory can't be used.
 */
export async function readInstance(stateDirectory: string): Promise<string> {
  try {
    return await readOrMakeInstance(stateDirectory);
  } catch (error) {
    throw new ConfigError(`state_directory: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function readOrMakeInstance(stateDirectory: string): Promise<string> {
  const path = join(stateDirectory, 'instance');
  try {
    const instance = (await readFile(path, 'utf8')).trim();
    if (instance !== '') return instance;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
  const instance = randomUUID();
  await mkdir(stateDirectory, { recursive: true, mode: 0o700 });
  await writeFile(`${path}.new`, `${instance}\n`);
  await rename(`${path}.new`, path);
  return instance;
}

/** The first IPv4 address of the interface that the default route leaves by; empty if there is none. */
export async function findPublicIp(routesPath: string, interfaces = networkInterfaces()): Promise<string> {
  const name = defaultInterface(await readFile(routesPath, 'utf8').catch(() => ''));
  const address = interfaces[name ?? '']?.find(({ family, internal }) => family === 'IPv4' && !internal);
  return address?.address ?? '';
}

/** The interface of the route to 0.0.0.0/0 with the least metric. @see proc(5), /proc/net/route */
function defaultInterface(routes: string): string | undefined {
  return routes
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1] === '00000000' && fields[7] === '00000000')
    .sort((a, b) => Number(a[6]) - Number(b[6]))[0]?.[0];
}
