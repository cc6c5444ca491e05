import { readdir, stat } from 'node:fs/promises';
import { isUnitName, matchGlob, unitTypes } from '@flotilla/unit';

/**
 * The unit files that a command line argument means: those in a directory, those that a pattern matches (for shells that
 * leave patterns alone), or else the argument itself.
 */
export async function findUnitFiles(argument: string): Promise<string[]> {
  const kind = await kindOf(argument);
  const isPattern = kind === 'missing' && /[*?[]/.test(argument);
  if (kind !== 'directory' && argument.endsWith('/')) return [];
  if (kind === 'missing' && !isPattern) return [withType(argument)];
  if (kind === 'file') return [argument];
  const end = isPattern ? argument.lastIndexOf('/') + 1 : argument.length;
  const folder = argument.slice(0, end).replace(/(?<=[^/])$/, '/');
  const pattern = isPattern ? argument.slice(end) : '*';
  const names = await readNames(folder);
  return names.filter((name) => isUnitName(name) && matchGlob(pattern, name)).map((name) => folder + name);
}

/** As everywhere in fleetctl, web means web.service. */
function withType(path: string): string {
  return unitTypes.some((type) => path.endsWith(`.${type}`)) ? path : `${path}.service`;
}

async function kindOf(path: string): Promise<'directory' | 'file' | 'missing'> {
  try {
    return (await stat(path)).isDirectory() ? 'directory' : 'file';
  } catch {
    // Whatever keeps it from being looked at keeps it from being read, and is told then.
    return 'missing';
  }
}

async function readNames(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder === '' ? '.' : folder, { withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory())
      .map(({ name }) => name)
      .sort();
  } catch {
    return [];
  }
}
