import { UnitError } from './errors.js';
import type { UnitName } from './unit-model.js';

/** Types that systemd instantiates from a template. */
const templateTypes = ['path', 'service', 'socket', 'target', 'timer'] as const;

/**
 * Every unit type that a name may end in: the one list for names, command line arguments and directories. All are
 * treated alike; systemd decides what it can load (it has dropped `busname` and `snapshot`, and makes `device` and
 * `scope` units itself), and says so in the unit's state.
 */
export const unitTypes = [
  'automount',
  'busname',
  'device',
  'mount',
  'path',
  'scope',
  'service',
  'slice',
  'snapshot',
  'socket',
  'swap',
  'target',
  'timer',
] as const;

/** The part of a unit's name after its last dot. */
export type UnitType = (typeof unitTypes)[number];

/** A unit name taken apart; see {@link unitNameParts}. */
export interface UnitNameParts {
  /** What stands before the first `@`, or before the type if there is none. */
  readonly prefix: string;
  /** What stands between the first `@` and the type: only of an instance, and never empty. */
  readonly instance: string | undefined;
  readonly type: UnitType;
  /** The name of the template that an instance is made from. */
  readonly template: UnitName | undefined;
  /** `name@.service`: can be submitted, never run. */
  readonly isTemplate: boolean;
  readonly isInstance: boolean;
}

/** In bytes. fleet's number; longer than a file name may be by one. */
const longestNameBytes = 256;

/**
 * `text` as a unit name.
 *
 * @throws UnitError `invalid-unit-name`, with fleet's wording.
 */
export function parseUnitName(text: string): UnitName {
  const problem = findNameProblem(text);
  if (problem !== undefined) throw new UnitError('invalid-unit-name', problem);
  return text as UnitName;
}

/** Whether {@link parseUnitName} takes `text`. */
export function isUnitName(text: string): text is UnitName {
  return findNameProblem(text) === undefined;
}

/** The parts of a name, split at the last dot and the first `@`: `a@b@c.service` is instance `b@c` of `a@.service`. */
export function unitNameParts(name: UnitName): UnitNameParts {
  const dot = name.lastIndexOf('.');
  const stem = name.slice(0, dot);
  const type = findUnitType(name.slice(dot + 1));
  if (type === undefined) throw new UnitError('invalid-unit-name', `not a unit name: ${JSON.stringify(name)}`);
  const at = stem.indexOf('@');
  const prefix = at < 0 ? stem : stem.slice(0, at);
  const instance = at < 0 ? '' : stem.slice(at + 1);
  const isInstance = instance !== '';
  return {
    prefix,
    type,
    instance: isInstance ? instance : undefined,
    template: isInstance ? parseUnitName(`${prefix}@.${type}`) : undefined,
    isTemplate: at >= 0 && !isInstance,
    isInstance,
  };
}

/**
 * The unit that a command line argument means: the last part of a path, with `.service` added unless it ends in one of
 * {@link unitTypes}.
 *
 * @throws UnitError `invalid-unit-name`
 */
export function unitNameFromArgument(argument: string): UnitName {
  let end = argument.length;
  while (argument[end - 1] === '/') end--;
  const base = argument.slice(argument.lastIndexOf('/', end - 1) + 1, end);
  const dot = base.lastIndexOf('.');
  const hasType = dot >= 0 && findUnitType(base.slice(dot + 1)) !== undefined;
  return parseUnitName(hasType || base === '' ? base : `${base}.service`);
}

function findUnitType(text: string): UnitType | undefined {
  return unitTypes.find((type) => type === text);
}

/** Why `name` is not a unit name; the checks run in fleet's order, so that the same one is reported. */
function findNameProblem(name: string): string | undefined {
  if (name === '') return 'unit name cannot be empty';
  if (Buffer.byteLength(name) > longestNameBytes) return `unit name exceeds maximum length (${longestNameBytes})`;
  const dot = name.lastIndexOf('.');
  if (dot < 0) return 'unit name must contain "."';
  if (dot === name.length - 1) return 'unit name cannot end in "."';
  const suffix = name.slice(dot + 1);
  const type = findUnitType(suffix);
  if (type === undefined) return `invalid unit type: ${JSON.stringify(suffix)}`;
  if (name.includes('@') && !templateTypes.some((known) => known === type))
    return `invalid unit type for template: ${JSON.stringify(suffix)}`;
  const stem = name.slice(0, dot);
  for (const char of stem)
    if (!/^[0-9A-Za-z:\-_.\\@]$/.test(char)) return `invalid character ${quotedChar(char)} in unit name`;
  if (stem.startsWith('@')) return 'unit name cannot start in "@"';
  if (stem === '') return `unit name cannot be only a type: ${JSON.stringify(name)}`;
  return undefined;
}

const escapes: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  "'": "\\'",
};

/** A character as Go's `%q` prints it. */
function quotedChar(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  const known = escapes[char];
  if (known !== undefined) return `'${known}'`;
  if (char === ' ' || /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(char)) return `'${char}'`;
  if (code < 0x80) return `'\\x${hex.padStart(2, '0')}'`;
  return code > 0xffff ? `'\\U${hex.padStart(8, '0')}'` : `'\\u${hex.padStart(4, '0')}'`;
}
