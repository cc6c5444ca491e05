import { normalize } from 'node:path';
import type { WatchedDirectory } from '@flotilla/directories';
import { isOwnerName } from '@flotilla/unit';
import { parseDirectory } from './parse-values.js';

/** Links to the cluster's own units lie there, and units that belong to the host. */
const systemdDirectory = /^(?:\/etc|\/run|(?:\/usr(?:\/local)?)?\/lib)\/systemd(?:\/|$)/;

/**
 * Reads `name:path, ...`; `none` and nothing are no directory.
 *
 * @param unitsDirectory Where fleetd keeps its own copies.
 * @returns The directories in their order, paths without a slash at the end, or what is wrong, to follow "unit_dirs is ...".
 */
export function parseUnitDirs(text: string, unitsDirectory: string): WatchedDirectory[] | string {
  const directories: WatchedDirectory[] = [];
  if (text === 'none') return directories;
  for (const item of text.split(',').map((part) => part.trim())) {
    if (item === '') continue;
    const directory = parseUnitDirectory(item);
    if (typeof directory === 'string') return directory;
    const { name, path } = directory;
    if (isWithin(path, unitsDirectory)) return `but ${path} is where fleetd keeps its own copies (units_directory)`;
    if (directories.some((other) => other.name === name)) return `but names ${name} twice`;
    const twin = directories.find((other) => other.path === path);
    if (twin !== undefined) return `but gives ${twin.name} and ${name} the same path: each file has one owner`;
    directories.push(directory);
  }
  return directories;
}

function parseUnitDirectory(item: string): WatchedDirectory | string {
  const at = item.indexOf(':');
  if (at < 0) return `but must be name:path, separated by commas, or none; "${item}" is not`;
  const [name, text] = [item.slice(0, at).trim(), item.slice(at + 1).trim()];
  if (!isOwnerName(name))
    return `but "${name}" is no name: up to 63 of A-Z, a-z, 0-9, dot, dash and underscore, a letter or a digit first`;
  if (text === '' || parseDirectory(text) === undefined)
    return `but the path of ${name} must begin with a slash, and not be below /proc or /sys`;
  const path = withoutSlash(text);
  if (systemdDirectory.test(path))
    return `but the units in ${path} are systemd's own: take a directory apart from them`;
  return { name, path };
}

function isWithin(path: string, directory: string): boolean {
  const parent = withoutSlash(directory);
  return path === parent || path.startsWith(parent === '/' ? '/' : `${parent}/`);
}

function withoutSlash(path: string): string {
  return normalize(path)
    .replace(/^\/+/, '/')
    .replace(/(?<=.)\/$/, '');
}
