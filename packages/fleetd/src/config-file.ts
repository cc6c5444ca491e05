import { findNearest } from '@flotilla/unit';
import { parse } from 'ini';
import { ConfigError } from './errors.js';
import {
  type GivenOptions,
  isOptionName,
  legacyOptions,
  legacyWarning,
  type OptionName,
  type OptionValue,
  optionNames,
} from './options.js';

/**
 * Reads a configuration file: `key = value` lines outside of sections; keys in any case; `#` and `;` comments; values in
 * double or single quotes, which are taken as they stand; a backslash at the end of a line joins the next one.
 *
 * @throws ConfigError naming file and line, if a line is none of these.
 */
export function parseConfigFile(text: string, source: string): GivenOptions {
  const lines = logicalLines(text);
  const values = new Map<OptionName, OptionValue>();
  const warnings: string[] = [];
  for (const { line, number } of lines) {
    if (line.startsWith('[')) {
      if (!line.endsWith(']')) throw new ConfigError(`${source}:${number}: "${line}" is not a section`);
      warnings.push(`${source}:${number}: options below ${line} are ignored: fleetd's stand outside of sections`);
      break;
    }
    const { key, value } = parseLine(line, `${source}:${number}`);
    if (isOptionName(key)) values.set(key, { text: value, source: `${source}:${number}` });
    else warnings.push(`${source}:${number}: ${unknownOption(key)}`);
  }
  return { values, warnings };
}

/** What to say of an option that fleetd does not have. */
function unknownOption(key: string): string {
  if (legacyOptions.includes(key)) return legacyWarning(key);
  const nearest = findNearest(key, optionNames);
  return `unknown option ${key} is ignored${nearest === undefined ? '' : `; did you mean ${nearest}?`}`;
}

/** One `key = value` line. */
function parseLine(line: string, where: string): { readonly key: string; readonly value: string } {
  const [, key, rest] = /^([^=\s[\]]+)\s*=\s*(.*)$/s.exec(line) ?? [];
  if (key === undefined || rest === undefined) {
    throw new ConfigError(`${where}: "${line}" is not an option`, 'write "key = value", or begin the line with #');
  }
  return { key: key.toLowerCase(), value: findQuoted(rest) ?? parseBare(rest) };
}

/** What stands in quotes, if all of it does but for a comment. A password may hold any character there. */
function findQuoted(text: string): string | undefined {
  return /^(["'])(.*)\1$/s.exec(text)?.[2] ?? /^(["'])([^"']*)\1\s*[#;]/.exec(text)?.[2];
}

/** Up to a comment, which is the ini library's business; only that to fleet a backslash is a letter like any other. */
function parseBare(text: string): string {
  const [value] = Object.values(parse(`value=${text.replaceAll('\\', '\\\\')}`));
  return typeof value === 'object' ? text : String(value);
}

/** Lines with their continuations joined, without blank ones and comments; numbers count from 1. */
function logicalLines(text: string): { readonly line: string; readonly number: number }[] {
  const lines: { readonly line: string; readonly number: number }[] = [];
  const physical = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  for (let index = 0; index < physical.length; index++) {
    const number = index + 1;
    let line = (physical[index] ?? '').trim();
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue;
    while (line.endsWith('\\')) line = line.slice(0, -1).trimEnd() + (physical[++index] ?? '').trim();
    lines.push({ line, number });
  }
  return lines;
}
