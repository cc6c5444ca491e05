import { mkdtemp, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type CommandResult, fleetctl, journalsOf, showUnits, type TestHost, waitUntil } from '../lab/index.js';
import type { Cluster } from './cluster.js';

/** What systemd on a host says of one unit. */
export interface UnitSeen {
  readonly load: string;
  /** ActiveState and SubState, as in `active/running`. */
  readonly state: string;
  /** Another one says that it was started anew. */
  readonly invocation: string;
  readonly mainPid: string;
}

const properties = ['LoadState', 'ActiveState', 'SubState', 'InvocationID', 'MainPID'];

export async function see(host: TestHost, unit: string): Promise<UnitSeen> {
  const [found] = await showUnits(host, properties, [unit]);
  const of = (key: string) => found?.get(key) ?? '';
  const state = `${of('ActiveState')}/${of('SubState')}`;
  return { load: of('LoadState'), state, invocation: of('InvocationID'), mainPid: of('MainPID') };
}

/** Waits until systemd says so of a unit. */
export function untilSeen(host: TestHost, unit: string, so: (seen: UnitSeen) => boolean): Promise<UnitSeen> {
  return waitUntil({
    // Longer than the slowest stop that a test has.
    timeoutMs: 90_000,
    what: `${unit} on ${host.name} is so: ${so}`,
    read: () => see(host, unit),
    until: so,
    onTimeout: () => journalsOf([host]),
  });
}

export const untilActive = (host: TestHost, unit: string): Promise<UnitSeen> =>
  untilSeen(host, unit, ({ state }) => state === 'active/running');

export const untilGone = (host: TestHost, unit: string): Promise<UnitSeen> =>
  untilSeen(host, unit, ({ load, state }) => load === 'not-found' && state === 'inactive/dead');

/** Writes unit files and has fleetctl do something with all of them, in their order; whatever comes of it. */
export async function order(
  cluster: Cluster,
  verb: readonly string[],
  texts: Readonly<Record<string, string>>,
): Promise<CommandResult> {
  const directory = await mkdtemp(join(cluster.anyHost.root, 'root', 'units-'));
  const paths = Object.keys(texts).map((name) => join(directory, name));
  for (const path of paths) await writeFile(path, texts[basename(path)] ?? '');
  return await fleetctl(cluster.anyHost, [...verb, ...paths]);
}

/** Runs a script in a host's shell. @returns What it printed. */
export const shell = (host: TestHost, script: string): Promise<string> => host.mustExec(['sh', '-ec', script]);

export const unitsDirectory = '/var/lib/fleet/units';
