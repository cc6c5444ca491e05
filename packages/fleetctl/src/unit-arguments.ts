import { isGlob, matchGlob, type UnitName, unitNameFromArgument, unitTypes } from '@flotilla/unit';
import { UsageError } from './errors.js';

/** What one argument means, after `{1..3}` has become several. */
export type UnitArgument =
  | {
      readonly kind: 'name';
      readonly name: UnitName;
      /** Where the unit file would be. */
      readonly path: string;
    }
  | {
      readonly kind: 'pattern';
      /** A glob on unit names. */
      readonly pattern: string;
    };

/** More than a cluster is made for at once; a slip of the finger must not register a million units. */
const mostNames = 10_000;

/**
 * The units that the arguments mean, in their order, each once.
 *
 * @throws UsageError if there is none, or one of them is neither a name nor a pattern.
 */
export function parseUnitArguments(texts: readonly string[]): UnitArgument[] {
  if (texts.length === 0) throw new UsageError('No units given');
  const byKey = new Map<string, UnitArgument>();
  for (const text of texts.flatMap(expandRanges)) {
    const argument = /[*?[]/.test(text) ? parsePattern(text) : parseName(text);
    const key = argument.kind === 'name' ? argument.name : argument.pattern;
    if (!byKey.has(key)) byKey.set(key, argument);
  }
  return [...byKey.values()];
}

/** Whether the argument, if it is a pattern, matches the name. */
export function matchesArgument(argument: UnitArgument, name: string): boolean {
  return argument.kind === 'name' ? argument.name === name : matchGlob(argument.pattern, name);
}

/**
 * What bash makes of `{1..3}`, `{01..10}` and `{1..9..2}`, for shells that leave it as it is and for quoted arguments.
 * Other braces stay.
 */
export function expandRanges(text: string): string[] {
  const match = /\{(-?\d+)\.\.(-?\d+)(?:\.\.(-?\d+))?\}/.exec(text);
  if (match === null) return [text];
  const [range, first = '', last = '', step = '1'] = match;
  const head = text.slice(0, match.index);
  const tails = expandRanges(text.slice(match.index + range.length));
  const numbers = numbersBetween(Number(first), Number(last), Math.abs(Number(step)) || 1);
  if (numbers.length * tails.length > mostNames) throw new UsageError(`${range} means more than ${mostNames} units`);
  const width = [first, last].some((bound) => /^-?0\d/.test(bound)) ? Math.max(first.length, last.length) : 0;
  return numbers.flatMap((number) => tails.map((tail) => head + padded(number, width) + tail));
}

function numbersBetween(first: number, last: number, step: number): number[] {
  const count = Math.floor(Math.abs(last - first) / step) + 1;
  if (!(count <= mostNames)) throw new UsageError(`{${first}..${last}} means more than ${mostNames} units`);
  const direction = last < first ? -step : step;
  return Array.from({ length: count }, (_, index) => first + index * direction);
}

function padded(number: number, width: number): string {
  return number < 0 ? `-${String(-number).padStart(width - 1, '0')}` : String(number).padStart(width, '0');
}

function parseName(text: string): UnitArgument {
  let name: UnitName;
  try {
    name = unitNameFromArgument(text);
  } catch (error) {
    throw new UsageError(`"${text}" is not a unit: ${error instanceof Error ? error.message : error}`);
  }
  const folder = text.replace(/\/+$/, '').replace(/[^/]*$/, '');
  return { kind: 'name', name, path: folder + name };
}

function parsePattern(text: string): UnitArgument {
  const base = text.slice(text.lastIndexOf('/') + 1);
  const suffix = /\.([^.]*)$/.exec(base)?.[1];
  const hasType = suffix !== undefined && (/[*?[\]]/.test(suffix) || unitTypes.some((type) => type === suffix));
  const pattern = hasType ? base : `${base}.service`;
  if (!isGlob(pattern)) throw new UsageError(`"${text}" is not a pattern: a class is not closed, or empty`);
  return { kind: 'pattern', pattern };
}
