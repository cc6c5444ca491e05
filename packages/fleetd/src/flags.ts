import { findNearest } from '@flotilla/unit';
import { canonicalFlag } from './canonical-flag.js';
import type { InstallCommand } from './install/install-flags.js';
import {
  flagName,
  type GivenOptions,
  isOptionName,
  legacyOptions,
  legacyWarning,
  type OptionName,
  type OptionValue,
  optionNames,
  options,
} from './options.js';
import { parseBoolean } from './parse-values.js';

/** What the command line asks for. `usage` carries the text for standard error and its exit code. */
export type Command =
  | {
      readonly kind: 'run';
      readonly configFile: string | undefined;
      readonly isUser: boolean;
      readonly flags: GivenOptions;
    }
  | { readonly kind: 'version' }
  | InstallCommand;

/** Flags that are no option of the configuration and mean yes. */
const ownSwitches = ['user', 'version', 'help'] as const;

const switches: ReadonlySet<string> = new Set([
  ...ownSwitches,
  // A Go program that was given one of these with a value had it after an equals sign.
  ...['disable-watches', 'enable-grpc', 'verify-units'],
  ...optionNames.filter((name) => options[name].reads.kind === 'boolean').map(flagName),
]);
const words: readonly string[] = ['config', ...switches, ...[...optionNames, ...legacyOptions].map(flagName)];

/** Reads the arguments after the program's name. Long flags work with one dash too, as Go programs have them. */
export async function parseFlags(args: readonly string[]): Promise<Command> {
  // The service has none, and is spared what it takes to read them.
  if (args.length === 0)
    return { kind: 'run', configFile: undefined, isUser: false, flags: { values: new Map(), warnings: [] } };
  const { parseInstall } = await import('./install/install-flags.js');
  if (args[0] === 'install') return parseInstall(args.slice(1));
  if (args[0] === 'help' && args[1] === 'install') return parseInstall(['--help']);
  const canonical = args.map((arg) => (arg === '-h' ? '--help' : canonicalFlag(arg)));
  const unknown = canonical.map(findUnknown).find((text) => text !== undefined);
  if (unknown !== undefined) return mistake(unknown);
  let failure: string | undefined;
  const parser = await createParser();
  parser.fail((message, error) => {
    failure = message ?? error.message;
  });
  const parsed = await parser.parseAsync(canonical.map((arg) => (switches.has(arg.slice(2)) ? `${arg}=true` : arg)));
  return failure === undefined ? commandOf(parsed, parsed._) : mistake(failure);
}

async function commandOf(flags: Readonly<Record<string, unknown>>, [word]: readonly unknown[]): Promise<Command> {
  const asked = new Map<string, boolean>();
  for (const name of ownSwitches) {
    const isAsked = parseBoolean(textOf(flags, name) ?? 'false');
    if (isAsked === undefined) return mistake(`--${name} is "${flags[name]}", but must be true or false`);
    asked.set(name, isAsked);
  }
  if (asked.get('version') === true || word === 'version') return { kind: 'version' };
  if (asked.get('help') === true || word === 'help')
    return { kind: 'help', text: (await import('./help.js')).helpText() };
  if (word !== undefined) {
    const { usage } = await import('./help.js');
    const text = `fleetd takes no arguments. Did you mean to invoke fleetctl instead?\n${usage}`;
    return { kind: 'usage', text };
  }
  const isUser = asked.get('user') === true;
  return { kind: 'run', configFile: textOf(flags, 'config'), isUser, flags: givenFlags(flags) };
}

function mistake(text: string): Command {
  return { kind: 'usage', text: `fleetd: ${text}\nTry fleetd --help.` };
}

/** What to say of a flag that fleetd does not have. */
function findUnknown(arg: string): string | undefined {
  const [, name] = /^--?([^=]+)/.exec(arg) ?? [];
  if (name === undefined || words.includes(name)) return undefined;
  const nearest = findNearest(name, words);
  return `there is no flag --${name}${nearest === undefined ? '' : `; did you mean --${nearest}?`}`;
}

/** Every value stays text here, so that one place reads and refuses them, whatever their source. */
async function createParser() {
  const { default: yargs } = await import('yargs');
  return yargs()
    .help(false)
    .version(false)
    .parserConfiguration({
      'camel-case-expansion': false,
      'dot-notation': false,
      'duplicate-arguments-array': false,
      'boolean-negation': false,
    })
    .options(
      Object.fromEntries(words.map((word) => [word, { type: 'string', requiresArg: !switches.has(word) } as const])),
    )
    .exitProcess(false);
}

function givenFlags(parsed: Readonly<Record<string, unknown>>): GivenOptions {
  const values = new Map<OptionName, OptionValue>();
  const warnings: string[] = [];
  for (const name of [...optionNames, ...legacyOptions]) {
    const text = textOf(parsed, flagName(name));
    if (text === undefined) continue;
    const source = `--${flagName(name)}`;
    if (isOptionName(name)) values.set(name, { text, source });
    else warnings.push(`${source}: ${legacyWarning(name)}`);
  }
  return { values, warnings };
}

function textOf(parsed: Readonly<Record<string, unknown>>, word: string): string | undefined {
  const value = parsed[word];
  return typeof value === 'string' ? value : undefined;
}
