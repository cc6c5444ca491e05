import { version } from '@flotilla/errors';
import { canonicalFlag } from './canonical-flag.js';
import type { InstallCommand } from './install/install-flags.js';
import { type OptionName, type OptionValue, type OptionValues, optionNames, options } from './options.js';

/** What the command line asks for. `usage` carries the text for standard error and its exit code. */
export type Command =
  | {
      readonly kind: 'run';
      readonly configFile: string | undefined;
      readonly isUser: boolean;
      readonly values: OptionValues;
    }
  | { readonly kind: 'version' }
  | InstallCommand;

/** Reads the arguments after the program's name. Long flags work with one dash too, as Go programs have them. */
export async function parseFlags(args: readonly string[]): Promise<Command> {
  // The service has none, and is spared what it takes to read them.
  if (args.length === 0) return { kind: 'run', configFile: undefined, isUser: false, values: new Map() };
  const { parseInstall } = await import('./install/install-flags.js');
  if (args[0] === 'install') return parseInstall(args.slice(1));
  if (args[0] === 'help' && args[1] === 'install') return parseInstall(['--help']);
  const parser = await createParser();
  const help = async () => ({ kind: 'help', text: await parser.getHelp() }) as const;
  let failure: string | undefined;
  parser.fail((message, error) => {
    failure = message ?? error.message;
  });
  const parsed = await parser.parseAsync(args.map(canonicalFlag));
  if (failure !== undefined) return { kind: 'usage', text: `fleetd: ${failure}\nTry fleetd --help.` };
  const flags: Readonly<Record<string, unknown>> = parsed;
  const [word] = parsed._;
  if (flags.version === true || word === 'version') return { kind: 'version' };
  if (flags.help === true || word === 'help') return help();
  if (word !== undefined) {
    const text = `fleetd: "${word}" is none of its words, which are install, version and help. Did you mean fleetctl?`;
    return { kind: 'usage', text: `${text}\nTry fleetd --help.` };
  }
  return { kind: 'run', configFile: parsed.config, isUser: flags.user === true, values: flagValues(flags) };
}

async function createParser() {
  const { default: yargs } = await import('yargs');
  return yargs()
    .scriptName('fleetd')
    .help(false)
    .version(false)
    .usage(
      'fleetd [options]\n\nRuns units on this machine, and takes part in deciding which machine runs which. ' +
        '"fleetd install" makes it a service of this host: see fleetd install --help.',
    )
    .epilogue(
      'Each option but the first four can also stand in the file, as option_name = value, or in the environment, as ' +
        'FLEET_OPTION_NAME. ' +
        'Flags win over the environment, the environment over the file.',
    )
    .parserConfiguration({
      'camel-case-expansion': false,
      'duplicate-arguments-array': false,
      'boolean-negation': false,
    })
    .option('config', { type: 'string', requiresArg: true, describe: 'configuration file [/etc/fleet/fleet.conf]' })
    .option('user', {
      type: 'boolean',
      describe: 'run your own units, by systemctl --user, with all files in your own directories',
    })
    .option('version', { type: 'boolean', describe: `print the version (${version}) and exit` })
    .option('help', { alias: 'h', type: 'boolean', describe: 'print this text and exit' })
    .options(Object.fromEntries(optionNames.map((name) => [flagName(name), flagOf(name)])))
    .strictOptions()
    .exitProcess(false)
    .wrap(100);
}

function flagName(name: OptionName): string {
  return name.replaceAll('_', '-');
}

/** Values stay text here, so that one place reads and refuses them, whatever their source. */
function flagOf(name: OptionName) {
  const { help, fallback, reads } = options[name];
  const describe = `${help}${fallback === '' ? '' : ` [${fallback}]`}`;
  return { type: 'string', describe, ...(reads.kind === 'boolean' ? {} : { requiresArg: true }) } as const;
}

function flagValues(parsed: Readonly<Record<string, unknown>>): OptionValues {
  const values = new Map<OptionName, OptionValue>();
  for (const name of optionNames) {
    const text = parsed[flagName(name)];
    if (typeof text !== 'string') continue;
    // A boolean flag without a value means yes.
    const isBare = text === '' && options[name].reads.kind === 'boolean';
    values.set(name, { text: isBare ? 'true' : text, source: `--${flagName(name)}` });
  }
  return values;
}

/** The options that the environment sets: `FLEET_METADATA` and so on. Set but empty counts. */
export function environmentValues(environment: Readonly<Record<string, string | undefined>>): OptionValues {
  const values = new Map<OptionName, OptionValue>();
  for (const name of optionNames) {
    const variable = `FLEET_${name.toUpperCase()}`;
    const text = environment[variable];
    if (text !== undefined) values.set(name, { text, source: variable });
  }
  return values;
}
