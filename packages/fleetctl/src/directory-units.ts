import type { DirectoryUnitEntity } from '@flotilla/schema';
import { Columns } from './columns.js';
import { hostLabel, type ShownDirectory, unitsOf } from './directory-rows.js';

/** The units of directories as lines of a table, behind a blank one: where the file of each was read, and on which hosts. */
export function directoryUnitLines(
  directories: readonly ShownDirectory[],
  { isFull, hasLegend }: { readonly isFull: boolean; readonly hasLegend: boolean },
): string[] {
  const rows = directories.flatMap((directory) => {
    const labels = new Map(directory.hosts.map((host) => [host.claimant, hostLabel(host, isFull)]));
    const label = (claimant: string) => labels.get(claimant) ?? hostLabel({ claimant }, isFull);
    return (unitsOf(directory) ?? []).flatMap((unit) =>
      sourcesOf(unit, label).map(([source, hosts]) => [directory.name, unit.name, source, hosts.join(' ')]),
    );
  });
  if (rows.length === 0) return [];
  const head = hasLegend ? [['DIRECTORY', 'UNIT', 'FILE', 'HOSTS']] : [];
  return ['', ...new Columns().lines([...head, ...rows].map((row) => row.map((text) => ({ text }))))];
}

/** The entries of the directory that a unit is read from, with the hosts where it is; mostly it is one. */
function sourcesOf({ claimants }: DirectoryUnitEntity, label: (claimant: string) => string): [string, string[]][] {
  if (claimants.length === 0) return [['-', ['-']]];
  const hosts = new Map<string, string[]>();
  for (const { claimant, source, isBehind } of claimants) {
    const named = isBehind === true ? `${label(claimant)}(behind)` : label(claimant);
    hosts.set(source, [...(hosts.get(source) ?? []), named]);
  }
  return [...hosts];
}
