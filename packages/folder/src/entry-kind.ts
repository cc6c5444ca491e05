import { isUnitName, parseUnitName, UnitError, unitTypes } from '@flotilla/unit';
import { hasUnsafe } from './safe-text.js';

/** What an entry is by its name. `misnamed`: what it is meant to be is clear, and it can't be. */
export type EntryKind = 'unit' | 'instances' | 'bundle' | 'drop-in' | 'misnamed';

const endOfList = '@.instances';
const endOfBundle = '.units';
const endOfDropIn = '.d';

/**
 * What an entry of a folder of unit files means. `undefined`: nothing. Hidden entries, backup copies and half-written
 * files of editors and packagers are among those, as they end in something else.
 */
export function entryKind(name: string): EntryKind | undefined {
  if (name.startsWith('.')) return undefined;
  if (isUnitName(name)) return 'unit';
  if (name.endsWith(endOfList)) return listPrefix(name) === undefined ? 'misnamed' : 'instances';
  if (name.endsWith(endOfBundle)) return hasUnsafe(name) ? 'misnamed' : 'bundle';
  if (name.endsWith(endOfDropIn)) return isUnitName(name.slice(0, -endOfDropIn.length)) ? 'drop-in' : undefined;
  return unitTypes.some((type) => name.endsWith(`.${type}`)) ? 'misnamed' : undefined;
}

/** `foo` of `foo@.instances`. */
export function listPrefix(name: string): string | undefined {
  if (!name.endsWith(endOfList)) return undefined;
  const prefix = name.slice(0, -endOfList.length);
  return isUnitName(`${prefix}@.service`) ? prefix : undefined;
}

/** Why a `misnamed` entry is none of the others, and what to do. */
export function misnameProblem(name: string): string {
  if (name.endsWith(endOfBundle)) return 'the name has characters that nobody can see or read: rename the file';
  const meant = name.endsWith(endOfList) ? `${name.slice(0, -endOfList.length)}@.service` : name;
  try {
    parseUnitName(meant);
    return 'this is not the name of a unit: rename the file';
  } catch (error) {
    if (!(error instanceof UnitError)) throw error;
    return `this is not the name of a unit (${error.problem}): rename the file`;
  }
}
