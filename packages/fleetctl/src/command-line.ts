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
  '-help': '--help',
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
    // An optional value would take the next word too.
    if (/^(-w|--?watch)=(?!(true|false)$)/i.test(word)) return word.replace(/^[^=]*/, '--watch-interval');
    const [name = ''] = word.split('=', 1);
    const known = [name, name.replace(/^-\b/, '--')].find((each) => Object.hasOwn(otherNames, each));
    return known === undefined ? word : `${otherNames[known]}${word.slice(name.length)}`;
  });
  return [...renamed, ...rest];
}

/** Where on the line the words are that are neither flags, nor values of these. Behind `--`, all are such words. */
export function operandIndexes(words: readonly string[], options: Options): number[] {
  const [flags, rest] = splitAtEnd(words);
  const indexes: number[] = [];
  for (let index = 0; index < flags.length; index++) {
    const word = flags[index] ?? '';
    if (findOption(word, options)?.required === true) index++;
    else if (!word.startsWith('-')) indexes.push(index);
  }
  return [...indexes, ...rest.slice(1).map((_, index) => flags.length + 1 + index)];
}

/** The words as commander expects them, and what they switch off that the environment may switch on. */
export interface PlainWords {
  readonly words: readonly string[];
  /** Flags by their long names. */
  readonly denied: ReadonlySet<string>;
}

/**
 * Turns Go's ways to write flags into commander's, up to `--`: `--flag=true` is the flag, `--flag=false` takes it back,
 * `--l` is `-l`, `-flag` is `--flag`, and `-o=json` has the value `json`.
 *
 * @throws UsageError for `--flag=maybe`.
 */
export function plainFlags(words: readonly string[], options: Options): PlainWords {
  const [flags, rest] = splitAtEnd(words);
  const denied = new Set<string>();
  let plain: string[] = [];
  for (let index = 0; index < flags.length; index++) {
    const word = flags[index] ?? '';
    const { option, name, value } = splitFlag(word);
    const truth =
      value === undefined || option === undefined || takesValue(option) ? undefined : readTruth(name, value);
    if (truth === false) {
      plain = plain.filter((each) => each !== option?.long && each !== option?.short);
      denied.add(option?.long ?? name);
      continue;
    }
    denied.delete(option?.long ?? name);
    if (option === undefined) plain.push(word);
    else plain.push(truth === true || value === undefined ? name : `${option.long ?? name}=${value}`);
    if (option?.required === true && value === undefined) plain.push(...flags.slice(++index, index + 1));
  }
  return { words: [...plain, ...rest], denied };

  function splitFlag(word: string) {
    const [, flag = word, value] = /^(--?[A-Za-z][\w-]*)=(.*)$/s.exec(word) ?? [];
    const isShort = /^--[A-Za-z]$/.test(flag) && findOption(flag, options) === undefined;
    const option = findOption(isShort ? flag.slice(1) : flag, options);
    return { option, name: (isShort || flag === option?.short ? option?.short : option?.long) ?? flag, value };
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
  return options.find(({ short, long }) => name === long || name === short || `-${name}` === long);
}

function splitAtEnd(words: readonly string[]): readonly [flags: readonly string[], rest: readonly string[]] {
  const end = words.indexOf('--');
  return end < 0 ? [words, []] : [words.slice(0, end), words.slice(end)];
}
