import type { Option } from 'commander';
import { type CatalogueEntry, catalogue, type NameKind } from './catalogue.js';
import { plainFlags, renameFlags } from './command-line.js';
import { findCommandPath } from './command-path.js';
import { createProgram, declarePath } from './program.js';

/**
 * What may stand in place of the last word: commands, flags, their values, or names that `readNames` is asked for.
 * Empty where that is not known, or where a file is meant.
 */
export async function candidates(
  words: readonly string[],
  readNames: (kind: NameKind) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const last = words.at(-1) ?? '';
  const program = createProgram(() => undefined);
  const path = findCommandPath(renameFlags(words.slice(0, -1)), program.options);
  if (path.unknown !== undefined) return [];
  const { command } = await declarePath(program, path);
  const options = [...program.options, ...command.options];
  const before = plainFlags(path.rest, options).words;
  const asked = options.find((option) => option.required && isNamed(option, before.at(-1)));
  if (asked?.long === '--owner') return beginning(await readNames('directory'), last);
  if (asked !== undefined) return beginning(asked.argChoices ?? [], last);
  const hasEnded = before.includes('--');
  if (last.startsWith('-') && !hasEnded) return beginning(longNames(options), last);
  const entry = path.entries.at(-1);
  if (entry === undefined || !('load' in entry)) {
    return beginning(shownNames(entry === undefined ? [...catalogue, { name: 'help' }] : entry.commands), last);
  }
  const kind = kindOf(entry);
  const names = kind === undefined ? [] : await readNames(kind);
  return beginning([...shownNames(entry.commands ?? []), ...names], last);
}

function shownNames(commands: readonly { readonly name: string }[]): string[] {
  return commands.filter((each) => !('isHidden' in each)).map(({ name }) => name);
}

function kindOf({ usage, completes }: CatalogueEntry): NameKind | undefined {
  if (completes !== undefined) return completes;
  if (/\bUNIT\b/.test(usage)) return 'unit';
  if (/\bNAME\b/.test(usage)) return 'directory';
  return /\b(ID|MACHINE)\b/.test(usage) ? 'machine' : undefined;
}

function isNamed({ short, long }: Option, word: string | undefined): boolean {
  return word !== undefined && (word === short || word === long);
}

function longNames(options: readonly Option[]): string[] {
  return [...options.filter(({ hidden }) => !hidden).flatMap(({ long }) => long ?? []), '--help'];
}

function beginning(words: readonly string[], start: string): readonly string[] {
  return words.filter((word) => word.startsWith(start)).sort();
}
