import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type CommandOptions, type CommandResult, mustRun, runCommand } from './command.js';
import { EtcdServer } from './etcd-server.js';
import { startGuard } from './guard.js';
import { createHost, type NspawnHost, sharedDirectory, type TestHost } from './host.js';
import type { UsrMode } from './host-root.js';
import { claimLab, memoryPath, removeLab } from './lab-record.js';
import { createBridge, createHostNetwork, inNamespace, namespacePath } from './network.js';

export interface LabOptions {
  /** Labs of different names may run side by side. Letters, digits and dashes; short. */
  readonly name: string;
  /** @default 3 */
  readonly hosts?: number;
  /** @default 1 */
  readonly etcdMembers?: number;
  /** Whether hosts may install programs and Debian packages. @default 'read-only' */
  readonly usr?: UsrMode;
}

/** Some hosts and an etcd on a network of their own. */
export interface Lab {
  /** Holds everything that the lab left on disk, until `close`. */
  readonly directory: string;
  /** A directory that every host sees, at the same path. */
  readonly shared: string;
  /** Booted; named host-1, host-2 and so on, with ascending machine IDs. */
  readonly hosts: readonly TestHost[];
  /** Healthy. */
  readonly etcd: readonly EtcdServer[];
  /** The `etcd_servers` of a fleetd on one of the hosts. */
  readonly etcdUrls: string;
  /** The lab's network, as a file for `nsenter --net=`. */
  readonly network: string;
  /** Runs a program of the machine with the lab's network as its own. */
  exec(argv: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  /** Like `exec`, for what has to succeed; gives its standard output. */
  mustExec(argv: readonly string[], options?: CommandOptions): Promise<string>;
  /** Asks etcd by way of all of its members. @returns What etcdctl prints, but for blanks around it. */
  etcdctl(args: readonly string[], options?: CommandOptions): Promise<string>;
  /** Ends and removes everything. Safe to repeat. */
  close(): Promise<void>;
}

/**
 * Boots hosts with systemd, and etcd. If this process ends without closing the lab, the lab is removed all the same.
 *
 * @throws LabInUseError if a living process has a lab of that name.
 */
export async function createLab({ name, hosts = 3, etcdMembers = 1, usr = 'read-only' }: LabOptions): Promise<Lab> {
  const directory = await claimLab(name);
  const guard = startGuard(directory);
  const close = async () => {
    await removeLab(directory);
    await guard.release();
  };
  try {
    await mkdir(sharedDirectory(directory));
    await createBridge(directory);
    const etcd = await startEtcd(directory, etcdMembers);
    const numbers = Array.from({ length: hosts }, (_, index) => index + 1);
    const machines = await Promise.all(numbers.map((number) => bootHost({ directory, number, usr })));
    for (const member of etcd) await member.untilHealthy();
    return { ...openLab(directory, machines, etcd), close };
  } catch (error) {
    await close();
    throw error;
  }
}

function openLab(directory: string, hosts: readonly TestHost[], etcd: readonly EtcdServer[]): Omit<Lab, 'close'> {
  const network = namespacePath(directory, 'lab');
  const etcdUrls = etcd.map(({ url }) => url).join(',');
  const mustExec: Lab['mustExec'] = (argv, options) => mustRun(inNamespace(network, argv), options);
  return {
    directory,
    shared: sharedDirectory(directory),
    hosts,
    etcd,
    etcdUrls,
    network,
    exec: (argv, options) => runCommand(inNamespace(network, argv), options),
    mustExec,
    etcdctl: async (args, options) => (await mustExec(['etcdctl', '--endpoints', etcdUrls, ...args], options)).trim(),
  };
}

interface NewHost {
  readonly directory: string;
  readonly number: number;
  readonly usr: UsrMode;
}

async function bootHost({ directory, number, usr }: NewHost): Promise<NspawnHost> {
  const name = `host-${number}`;
  // Ascending first digits, so that the order of machine IDs is the order of hosts; the rest is different per lab.
  const machineId = number.toString(16).padStart(2, '0') + hexDigits(`${directory}/${name}`, 30);
  const host = await createHost({ directory, name, address: `10.77.1.${number}`, machineId, usr });
  await host.boot();
  return host;
}

async function startEtcd(directory: string, count: number): Promise<EtcdServer[]> {
  const numbers = Array.from({ length: count }, (_, index) => index + 1);
  const members = new Map(numbers.map((number) => [`10.77.2.${number}`, `etcd-${number}`]));
  for (const [address, name] of members) await createHostNetwork(directory, name, address);
  const servers = [...members].map(([address, name]) => {
    const dataDirectory = join(memoryPath(directory), name);
    return new EtcdServer({ directory, dataDirectory, name, address, members });
  });
  for (const server of servers) await server.start();
  return servers;
}

function hexDigits(text: string, length: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, length);
}
