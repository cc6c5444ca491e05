/** Global flags that take the next word, if they have no `=`. */
const flagsWithValue: ReadonlySet<string> = new Set(['--endpoint', '--request-timeout']);

/** Flags that may be written `--flag=true` and `--flag=false`, as in Go. */
const booleanFlags: ReadonlySet<string> = new Set([
  '--adopt',
  '--all',
  '--debug',
  '--discard',
  '--dry-run',
  '--full',
  '--l',
  '--no-block',
  '--no-legend',
  '--replace',
  '--reset',
  '--user',
]);

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

/**
 * The words of the command line as commander expects them: `--flag=true` is the flag, `--flag=false` is nothing, `--h`
 * is `--help`, and `help start` is `start --help`. Words after `--` stay as they are.
 */
export function normaliseWords(words: readonly string[]): string[] {
  const end = words.indexOf('--');
  const flags = (end < 0 ? words : words.slice(0, end)).flatMap(normaliseWord);
  const index = findCommandIndex(flags);
  const isHelp = index !== undefined && flags[index] === 'help';
  if (isHelp) flags.splice(index, 1);
  return [...flags, ...(isHelp ? ['--help'] : []), ...(end < 0 ? [] : words.slice(end))];
}

/** The command on a line: its first word that is neither a global flag nor the value of one. */
export function findCommandName(words: readonly string[]): string | undefined {
  const index = findCommandIndex(words);
  return index === undefined ? undefined : words[index];
}

function findCommandIndex(words: readonly string[]): number | undefined {
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? '';
    if (word === '--') return undefined;
    if (flagsWithValue.has(word)) index++;
    else if (!word.startsWith('-')) return index;
  }
  return undefined;
}

function normaliseWord(word: string): string[] {
  if (word === '--h') return ['--help'];
  const [, flag = '', value = ''] = /^(--[a-z-]+)=(.*)$/s.exec(word) ?? [];
  const truth = booleanFlags.has(flag) && Object.hasOwn(truths, value) ? truths[value] : undefined;
  if (truth === undefined) return [word];
  return truth ? [flag] : [];
}
