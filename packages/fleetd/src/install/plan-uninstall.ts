import { dirname, join } from 'node:path';
import { localEtcdUnit } from '@flotilla/local-etcd';
import { type Places, systemctl } from './places.js';
import { installedPaths } from './plan-install.js';
import { journalHint, type Step } from './steps.js';
import { fleetGroup, fleetUnits } from './unit-files.js';

/** What there is on a host, of the paths in {@link uninstallPaths}. */
export type Present = ReadonlySet<string>;

/** What outlives an installation unless it is purged: configuration, drop-ins, state. */
function keptPaths({ configFile, units, stateDirectory }: Places, hasUnitFiles: boolean): string[] {
  const configuration = hasUnitFiles ? configFile : dirname(configFile);
  return [configuration, ...fleetUnits.map((name) => join(units, `${name}.d`)), stateDirectory];
}

/** What a fleetd makes while it runs. */
function runtimePaths({ runtimeDirectory, socket }: Places): string[] {
  return [runtimeDirectory, socket];
}

function localEtcdPath({ runtimeUnits }: Places): string {
  return join(runtimeUnits, localEtcdUnit);
}

/** What the plans below ask about. */
export function uninstallPaths(places: Places): string[] {
  const kept = [true, false].flatMap((hasUnitFiles) => keptPaths(places, hasUnitFiles));
  return [...installedPaths(places), ...kept, ...runtimePaths(places), localEtcdPath(places)];
}

/** Decides how fleetd is stopped for good: its host leaves the cluster, its units move to other machines. */
export function planStop(places: Places, present: Present): Step[] {
  if (!present.has(join(places.units, 'fleet.service'))) return [];
  const argv = systemctl(places, 'disable', '--now', ...fleetUnits);
  const steps: Step[] = [{ kind: 'run', argv, hint: journalHint(places) }];
  // Not before: fleetd writes there that it leaves.
  if (present.has(localEtcdPath(places))) steps.push({ kind: 'run', argv: systemctl(places, 'stop', localEtcdUnit) });
  return steps;
}

export interface RemovalInput {
  readonly places: Places;
  readonly present: Present;
  /** Whether the configuration, the state and the group go too. */
  readonly isPurging: boolean;
  /** Whether the directory for unit files holds anything: that is people's work, and stays. */
  readonly hasUnitFiles: boolean;
  /** The cluster's units that run here all the same: the host could not leave, or was told to stay. */
  readonly strays: readonly string[];
  /** Whether the host has the group {@link fleetGroup}. */
  readonly hasGroup: boolean;
}

/** Decides what is removed once fleetd has stopped. Without a purge, what runs on here is for the next fleetd to take over. */
export function planRemoval(input: RemovalInput): Step[] {
  const { places, present, isPurging, hasUnitFiles, strays, hasGroup } = input;
  const steps: Step[] = [];
  const kept = keptPaths(places, hasUnitFiles).filter((path) => present.has(path));
  const remove = (paths: readonly string[]) => {
    for (const path of paths.filter((each) => present.has(each))) steps.push({ kind: 'remove', path });
  };
  if (isPurging && strays.length > 0) {
    // Their files are about to go.
    steps.push({ kind: 'run', argv: systemctl(places, 'disable', '--runtime', '--now', '--', ...strays) });
  }
  const removed = [...installedPaths(places), localEtcdPath(places)];
  remove(removed);
  if (removed.some((path) => present.has(path))) steps.push({ kind: 'run', argv: systemctl(places, 'daemon-reload') });
  remove(runtimePaths(places));
  if (isPurging) remove(kept);
  else for (const path of kept) steps.push({ kind: 'keep', path, why: '--purge removes it too' });
  if (hasUnitFiles) steps.push({ kind: 'keep', path: places.unitDirectory, why: 'it holds unit files of yours' });
  if (!isPurging && strays.length > 0) {
    const why = 'this host did not leave its cluster, so systemd has these units still; --purge ends them';
    steps.push({ kind: 'keep', path: strays.join(' '), why });
  }
  if (isPurging && hasGroup) steps.push({ kind: 'run', argv: ['groupdel', fleetGroup] });
  return steps;
}
