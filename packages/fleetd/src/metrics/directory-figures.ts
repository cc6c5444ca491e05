import type { DirectoryDescription } from '@flotilla/directories';
import { type Figure, gauge } from './figure.js';

/** What there is to be told of the watched directories of this host; nothing if there are none. */
export function directoryFigures(directories: readonly DirectoryDescription[]): Figure[] {
  if (directories.length === 0) return [];
  const each = (read: (directory: DirectoryDescription) => number) =>
    directories.map((directory) => ({ labels: { directory: directory.name }, value: read(directory) }));
  return [
    gauge(
      'fleet_directory_units',
      'Units that a watched directory of this machine has',
      each(({ units }) => units),
    ),
    gauge(
      'fleet_directory_problems',
      'What is wrong in it: broken files, and units that are somebody else’s',
      each(({ problemCount, conflictCount }) => problemCount + conflictCount),
    ),
    gauge(
      'fleet_directory_held',
      'Units whose removal is held back until somebody confirms it',
      each(({ held }) => held?.count ?? 0),
    ),
  ];
}
