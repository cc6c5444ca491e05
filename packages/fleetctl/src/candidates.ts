import type { Option } from 'commander';
import { catalogue } from './catalogue.js';
import { plainFlags, renameFlags } from './command-line.js';
import { findCommandPath } from './command-path.js';
import { createProgram, declarePath } from './program.js';

/** What the cluster has names of. */
export type NameKind = 'unit' | 'machine';

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
  if (asked !== undefined) return beginning(asked.argChoices ?? [], last);
  const hasEnded = before.includes('--');
  if (last.startsWith('-') && !hasEnded) return beginning(longNames(options), last);
  const entry = path.entries.at(-1);
  if (entry === undefined || !('load' in entry)) {
    const below = entry === undefined ? [...catalogue, { name: 'help' }] : entry.commands;
    return beginning(
      below.filter((each) => !('isHidden' in each)).map(({ name }) => name),
      last,
    );
  }
  const kind = kindOf(entry.usage);
  return kind === undefined ? [] : beginning(await readNames(kind), last);
}

function kindOf(usage: string): NameKind | undefined {
  if (/\bUNIT\b/.test(usage)) return 'unit';
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
