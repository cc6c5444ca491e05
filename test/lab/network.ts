import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mustRun } from './command.js';

/** The bridge's own address, in the lab's namespace. */
const labAddress = '10.77.0.1';

/** The file that keeps a network namespace alive, by mount. */
export function namespacePath(directory: string, name: string): string {
  return join(directory, 'net', name);
}

/** Puts `nsenter` in front of a command. `ip netns exec` will not do: it mounts its own /sys and hides the cgroups. */
export function inNamespace(path: string, argv: readonly string[]): string[] {
  return ['nsenter', `--net=${path}`, '--', ...argv];
}

/** Makes the namespace `lab` with a bridge in it. Nothing of the machine's own network is touched. */
export async function createBridge(directory: string): Promise<void> {
  await mkdir(join(directory, 'net'));
  const lab = await createNamespace(directory, 'lab');
  await ip(lab, ['link', 'add', 'bridge', 'type', 'bridge']);
  await ip(lab, ['address', 'add', `${labAddress}/16`, 'dev', 'bridge']);
  await ip(lab, ['link', 'set', 'bridge', 'up']);
}

/** Makes the namespace of a host or of a member of etcd, joined to the bridge by a cable (a veth pair, named like the host on the lab's side). */
export async function createHostNetwork(directory: string, host: string, address: string): Promise<void> {
  const lab = namespacePath(directory, 'lab');
  const own = await createNamespace(directory, host);
  await ip(lab, ['link', 'add', host, 'type', 'veth', 'peer', 'name', 'host0', 'netns', own]);
  await ip(lab, ['link', 'set', host, 'master', 'bridge', 'up']);
  await ip(own, ['address', 'add', `${address}/16`, 'dev', 'host0']);
  await ip(own, ['link', 'set', 'host0', 'up']);
}

/** Pulls a host's cable, or puts it back. */
export async function setCable(directory: string, host: string, state: 'up' | 'down'): Promise<void> {
  await ip(namespacePath(directory, 'lab'), ['link', 'set', host, state]);
}

/** `silence`: packets vanish. `refusal`: connections are turned down and broken. */
export type Filter = 'silence' | 'refusal';

/** Keeps TCP that matches, in iptables' notation, out of a namespace or in it, until {@link clearFilters}. */
export async function addFilter(
  path: string,
  filter: Filter,
  chain: 'INPUT' | 'OUTPUT',
  match: readonly string[],
): Promise<void> {
  const target = filter === 'silence' ? ['DROP'] : ['REJECT', '--reject-with', 'tcp-reset'];
  await iptables(path, ['--append', chain, '--protocol', 'tcp', ...match, '--jump', ...target]);
}

/** Forgets all rules of a namespace. */
export async function clearFilters(path: string): Promise<void> {
  await iptables(path, ['--flush']);
}

async function iptables(path: string, args: readonly string[]): Promise<void> {
  await mustRun(inNamespace(path, ['iptables', '--wait', ...args]));
}

async function createNamespace(directory: string, name: string): Promise<string> {
  const path = namespacePath(directory, name);
  await writeFile(path, '');
  await mustRun(['unshare', `--net=${path}`, 'ip', 'link', 'set', 'lo', 'up']);
  return path;
}

async function ip(namespace: string, args: readonly string[]): Promise<void> {
  await mustRun(inNamespace(namespace, ['ip', ...args]));
}
