import type { Option } from 'commander';
import { type CatalogueEntry, type CommandGroup, catalogue } from './catalogue.js';
import { operandIndexes } from './command-line.js';
import { UsageError } from './errors.js';

/** Which command a line calls. */
export interface CommandPath {
  /** From the outermost to the one that is called; empty: none is. */
  readonly entries: readonly (CatalogueEntry | CommandGroup)[];
  /** The words without the names of these, and with `--help` for `help`. */
  readonly rest: readonly string[];
  /** Where a command had to be and is none. */
  readonly unknown?: string;
}

/** Finds the command among the words, which may have global flags before it. */
export function findCommandPath(words: readonly string[], globalOptions: readonly Option[]): CommandPath {
  const indexes = operandIndexes(words, globalOptions);
  const isHelp = words[indexes[0] ?? -1] === 'help';
  const taken = new Set<number>(isHelp ? indexes.splice(0, words[indexes[1] ?? -1] === 'help' ? 2 : 1) : []);
  const entries: (CatalogueEntry | CommandGroup)[] = [];
  let below: readonly (CatalogueEntry | CommandGroup)[] = catalogue;
  let unknown: string | undefined;
  for (const index of indexes) {
    if (below.length === 0) break;
    const entry = below.find(({ name }) => name === words[index]);
    if (entry === undefined) {
      if (!isCommand(entries.at(-1))) unknown = words[index];
      break;
    }
    taken.add(index);
    entries.push(entry);
    below = entry.commands ?? [];
  }
  const rest = words.filter((_, index) => !taken.has(index));
  return { entries, rest: isHelp ? ['--help', ...rest] : rest, ...(unknown !== undefined && { unknown }) };
}

/** Whether it does something without a command below it. */
function isCommand(entry: CatalogueEntry | CommandGroup | undefined): boolean {
  return entry !== undefined && 'load' in entry;
}

/** `machine unfreeze`. */
export function pathText({ entries }: CommandPath): string {
  return entries.map(({ name }) => name).join(' ');
}

/** What to do instead of commands that fleet has. */
const missing: Readonly<Record<string, string>> = {
  journal: 'This version has none: list-units says on which machine the unit is; there, journalctl -u UNIT shows it.',
  ssh: 'This version has none: list-machines has the addresses; use ssh itself.',
};

/** The error for a word that is no command, with the one that is most like it. */
export async function unknownCommand({ entries }: CommandPath, word: string): Promise<UsageError> {
  const group = entries.at(-1);
  const siblings = group === undefined || 'load' in group ? catalogue : group.commands;
  const names = siblings.map(({ name }) => name);
  const similar = await similarNames(word, group === undefined ? [...names, 'help'] : names);
  const of = group === undefined ? '' : ` of '${entries.map(({ name }) => name).join(' ')}'`;
  const choice = similar.length > 1 ? `one of ${similar.join(', ')}` : similar.join('');
  const advice = choice === '' ? '' : `\n(Did you mean ${choice}?)`;
  const hint = group === undefined && Object.hasOwn(missing, word) ? missing[word] : undefined;
  return new UsageError(`unknown command '${word}'${of}${hint === undefined ? advice : ''}`, hint);
}

/** The one that is most like it, or else those that it begins. */
async function similarNames(word: string, names: readonly string[]): Promise<readonly string[]> {
  // Loaded on use: most lines are right.
  const { findNearest } = await import('@flotilla/unit');
  const nearest = findNearest(word, names);
  if (nearest !== undefined) return [nearest];
  return word.length < 2 ? [] : names.filter((name) => name.startsWith(word));
}
