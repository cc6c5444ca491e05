import type { UnitName } from './unit-model.js';
import { unitNameParts } from './unit-name.js';
import { trim } from './white-space.js';

/**
 * The values in an option's value. Only one that starts and ends with `"` is a list: white space outside quotes
 * separates its values, quotes are dropped, and there are no escapes. A continued line counts as a blank.
 *
 * @returns `undefined` if quotes do not close.
 */
export function splitValue(text: string): string[] | undefined {
  const value = trim(text.replaceAll('\\\n', ' '));
  if (!value.startsWith('"') || !value.endsWith('"')) return [value];
  const values: string[] = [];
  let current: string | undefined;
  for (const [index, part] of value.split('"').entries()) {
    const isQuoted = index % 2 === 1;
    const words = isQuoted ? [part] : part.split(/\s+/);
    for (const [position, word] of words.entries()) {
      if (position > 0 && current !== undefined) values.push(current);
      if (position > 0) current = undefined;
      if (isQuoted || word !== '') current = (current ?? '') + word;
    }
  }
  if (current !== undefined) values.push(current);
  return (value.split('"').length - 1) % 2 === 0 ? values : undefined;
}

/** A value with its specifiers replaced. */
export interface ExpandedValue {
  readonly text: string;
  /** The unit is a template and the value names the instance: nothing can be said of it yet. */
  readonly isOpen: boolean;
}

/** Replaces `%n` (full name), `%N` (name without type), `%p` (prefix) and `%i` (instance). Nothing else is special. */
export function expandSpecifiers(text: string, name: UnitName): ExpandedValue {
  if (!text.includes('%')) return { text, isOpen: false };
  const { prefix, instance = '', type, isTemplate } = unitNameParts(name);
  const replacements = new Map([
    ['%n', name],
    ['%N', name.slice(0, -type.length - 1)],
    ['%p', prefix],
    ['%i', instance],
  ]);
  return {
    text: text.replace(/%[nNpi]/g, (specifier) => replacements.get(specifier) ?? specifier),
    isOpen: isTemplate && /%[nNi]/.test(text),
  };
}
