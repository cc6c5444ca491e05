import type { Option } from 'commander';
import { UsageError } from './errors.js';

/** Flags as they are declared; what a word of the line means depends on them. */
type Options = readonly Option[];

/** Older names of flags, and what Go takes for its short ones. */
const otherNames: Readonly<Record<string, string>> = {
  '--etcd-cafile': '--ca-file',
  '--etcd-certfile': '--cert-file',
  '--etcd-keyfile': '--key-file',
  '--h': '--help',
};

const truths: Readonly<Record<string, boolean>> = {
  '1': true,
  t: true,
  T: true,
  true: true,
  TRUE: true,
  True: true,
  '0': false,
  f: false,
  F: false,
  false: false,
  FALSE: false,
  False: false,
};

/** What Go's flags take for a truth value; `undefined` for every other word. */
export function findTruth(text: string): boolean | undefined {
  return Object.hasOwn(truths, text) ? truths[text] : undefined;
}

/** The words with flags by their own names, up to `--`. */
export function renameFlags(words: readonly string[]): string[] {
  const [flags, rest] = splitAtEnd(words);
  const renamed = flags.map((word) => {
    const [name = ''] = word.split('=', 1);
    // An optional value would take the next word too.
    if (name === '--watch' && /=(?!(true|false)$)/i.test(word)) return word.replace('=', '-interval=');
    return Object.hasOwn(otherNames, name) ? `${otherNames[name]}${word.slice(name.length)}` : word;
  });
  return [...renamed, ...rest];
}

/** Where on the line the words are that are neither flags, nor values of these, nor behind `--`. */
export function operandIndexes(words: readonly string[], options: Options): number[] {
  const [flags] = splitAtEnd(words);
  const indexes: number[] = [];
  for (let index = 0; index < flags.length; index++) {
    const word = flags[index] ?? '';
    if (findOption(word, options)?.required === true) index++;
    else if (!word.startsWith('-')) indexes.push(index);
  }
  return indexes;
}

/** The words as commander expects them, and what they switch off that the environment may switch on. */
export interface PlainWords {
  readonly words: readonly string[];
  /** Flags by their long names. */
  readonly denied: ReadonlySet<string>;
}

/**
 * Turns Go's ways to write flags into commander's, up to `--`: `--flag=true` is the flag, `--flag=false` takes it back,
 * `--l` is `-l`.
 *
 * @throws UsageError for `--flag=maybe`.
 */
export function plainFlags(words: readonly string[], options: Options): PlainWords {
  const [flags, rest] = splitAtEnd(words);
  const denied = new Set<string>();
  let plain: string[] = [];
  for (let index = 0; index < flags.length; index++) {
    const word = flags[index] ?? '';
    const { name, value } = splitFlag(word);
    const option = findOption(name, options);
    const truth =
      value === undefined || option === undefined || takesValue(option) ? undefined : readTruth(name, value);
    if (truth === false) {
      plain = plain.filter((each) => each !== option?.long && each !== option?.short);
      denied.add(option?.long ?? name);
      continue;
    }
    denied.delete(option?.long ?? name);
    plain.push(truth === true || value === undefined ? name : word);
    if (option?.required === true && value === undefined) plain.push(...flags.slice(++index, index + 1));
  }
  return { words: [...plain, ...rest], denied };

  function splitFlag(word: string): { readonly name: string; readonly value: string | undefined } {
    const [, flag = word, value] = /^(--[A-Za-z][\w-]*)=(.*)$/s.exec(word) ?? [];
    const short = /^--[A-Za-z]$/.test(flag) && findOption(flag, options) === undefined ? flag.slice(1) : flag;
    return { name: findOption(short, options) === undefined ? flag : short, value };
  }
}

function readTruth(flag: string, text: string): boolean {
  const truth = findTruth(text);
  if (truth === undefined) throw new UsageError(`${flag}=${text} is neither true nor false`);
  return truth;
}

function takesValue({ required, optional }: Option): boolean {
  return required || optional;
}

function findOption(name: string, options: Options): Option | undefined {
  return options.find(({ short, long }) => name === long || name === short);
}

function splitAtEnd(words: readonly string[]): readonly [flags: readonly string[], rest: readonly string[]] {
  const end = words.indexOf('--');
  return end < 0 ? [words, []] : [words.slice(0, end), words.slice(end)];
}
