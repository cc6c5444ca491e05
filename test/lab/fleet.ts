import { join } from 'node:path';
import { type Client, createClient } from '@flotilla/client';
import { type CommandOptions, type CommandResult, runCommand } from './command.js';
import type { TestHost } from './host.js';
import { type FleetConfig, installFleet, outerSocket, singleFiles } from './install-fleet.js';
import type { Lab } from './lab.js';
import { waitUntil } from './wait-until.js';

/** Where a fleetctl outside of the lab reaches a host's fleetd. */
export function endpointOf(host: TestHost): string {
  return `unix://${join(host.root, outerSocket)}`;
}

/** Runs the machine's own dist/fleetctl against a host's fleetd. Arguments may be paths of unit files. */
export function fleetctl(
  host: TestHost,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const argv = [process.execPath, join(singleFiles, 'fleetctl'), `--endpoint=${endpointOf(host)}`, ...args];
  return runCommand(argv, { timeoutMs: 120_000, ...options });
}

/** Like {@link fleetctl}, for what has to succeed. @returns Its standard output. */
export async function mustFleetctl(host: TestHost, args: readonly string[], options?: CommandOptions): Promise<string> {
  const { code, stdout, stderr } = await fleetctl(host, args, options);
  if (code !== 0) throw new Error(`exit ${code}: fleetctl ${args.join(' ')}\n${stderr}${stdout}`);
  return stdout;
}

/**
 * What fleetctl asks with, in this process: who waits asks again and again, and a program for each time would take half
 * of a processor away from what is waited for.
 */
function clientOf(host: TestHost): Client {
  return createClient({ endpoint: endpointOf(host) });
}

/** A row of list-units. */
export interface UnitRow {
  readonly unit: string;
  /** Full machine ID. */
  readonly machine: string;
  readonly active: string;
  readonly sub: string;
}

/** What list-units shows, by way of one host's fleetd. */
export async function listUnits(host: TestHost): Promise<UnitRow[]> {
  const states = await clientOf(host).listStates();
  return states.map(({ name, machineID, systemdActiveState, systemdSubState }) => {
    return { unit: name, machine: machineID, active: systemdActiveState, sub: systemdSubState };
  });
}

/** IDs of the machines that list-machines shows. */
export async function listMachines(host: TestHost): Promise<string[]> {
  return (await clientOf(host).listMachines()).map(({ id }) => id);
}

/** Installs fleetd on every host of a lab and waits until all of them are machines of the cluster. */
export async function startFleet(lab: Lab, configOf: (host: TestHost) => FleetConfig): Promise<void> {
  const install = (host: TestHost) => installFleet(host, { etcd_servers: lab.etcdUrls, ...configOf(host) });
  await Promise.all(lab.hosts.map(install));
  for (const host of lab.hosts) await untilMachines(host, lab.hosts);
}

/** Waits until a host's fleetd sees exactly these machines. */
export async function untilMachines(host: TestHost, machines: readonly TestHost[], timeoutMs = 30_000): Promise<void> {
  const wanted = machines.map(({ machineId }) => machineId).sort();
  await waitUntil({
    what: `${host.name} sees the machines ${machines.map(({ name }) => name).join(', ')}`,
    read: () => listMachines(host),
    until: (seen) => seen.sort().join() === wanted.join(),
    timeoutMs,
    onTimeout: () => journalsOf(machines),
  });
}

/** fleetd's journals. */
export async function journalsOf(hosts: readonly TestHost[]): Promise<string> {
  return (await Promise.all(hosts.map((host) => host.journal('fleet.service')))).join('\n');
}

/** The acting leader, and the create revision of its key: another term has another one. */
export interface Leader {
  readonly host: TestHost;
  readonly term: string;
}

/** Reads from etcd who leads; `undefined` while nobody does. */
export async function findLeader(lab: Lab): Promise<Leader | undefined> {
  const text = await lab.etcdctl(['get', '/_coreos.com/fleet/leader', '--write-out=json']);
  const answer = JSON.parse(text) as { kvs?: { value: string; create_revision: number }[] };
  const found = answer.kvs?.[0];
  if (found === undefined) return undefined;
  const record = JSON.parse(Buffer.from(found.value, 'base64').toString()) as { machine: string };
  const host = lab.hosts.find(({ machineId }) => machineId === record.machine);
  if (host === undefined) throw new Error(`no host of the lab leads, but ${record.machine}`);
  return { host, term: String(found.create_revision) };
}

/** Waits for a leader; for another one than `before`, if given. */
export async function untilLeader(lab: Lab, before?: Leader): Promise<Leader> {
  const leader = await waitUntil({
    what: before === undefined ? 'somebody leads' : `a new leader follows ${before.host.name}`,
    read: () => findLeader(lab),
    until: (found) => found !== undefined && found.term !== before?.term,
    onTimeout: () => journalsOf(lab.hosts),
  });
  if (leader === undefined) throw new Error('unreachable');
  return leader;
}
