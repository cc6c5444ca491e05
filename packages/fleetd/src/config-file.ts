import { findNearest } from '@flotilla/unit';
import { parse } from 'ini';
import { ConfigError } from './errors.js';
import {
  isOptionName,
  legacyOptions,
  type OptionName,
  type OptionValue,
  type OptionValues,
  optionNames,
} from './options.js';

export interface ConfigFile {
  readonly values: OptionValues;
  /** One sentence each, for the log. */
  readonly warnings: readonly string[];
}

/**
 * Reads a configuration file: `key = value` lines outside of sections; keys in any case; `#` and `;` comments; a
 * backslash at the end of a line joins the next one.
 *
 * @throws ConfigError naming file and line, if a line is none of these.
 */
export function parseConfigFile(text: string, source: string): ConfigFile {
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
  if (legacyOptions.includes(key)) return `Config option ${key} is no longer supported - ignoring`;
  const nearest = findNearest(key, optionNames);
  return `unknown option ${key} is ignored${nearest === undefined ? '' : `; did you mean ${nearest}?`}`;
}

/** One `key = value` line, read by the ini library: quotes, and comments after the value, are its business. */
function parseLine(line: string, where: string): { readonly key: string; readonly value: string } {
  if (!/^[^=\s[\]]+\s*=/.test(line)) {
    throw new ConfigError(`${where}: "${line}" is not an option`, 'write "key = value", or begin the line with #');
  }
  const entry = Object.entries(parse(line))[0];
  if (entry === undefined || typeof entry[1] === 'object')
    throw new ConfigError(`${where}: "${line}" is not an option`);
  return { key: entry[0].toLowerCase(), value: String(entry[1]) };
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
