import { type Client, createClient } from '@flotilla/client';
import { FleetError, version } from '@flotilla/errors';
import { type Clock, systemClock } from '@flotilla/runtime';
import { Command, CommanderError } from 'commander';
import { type CatalogueEntry, type CommandGroup, catalogue } from './catalogue.js';
import { examples } from './command.js';
import { findCommandName, normaliseWords } from './command-line.js';
import { chooseEndpoint } from './endpoint-choice.js';
import { messageOf } from './errors.js';
import { exitCodes } from './exit-codes.js';
import { addGlobalFlags, type Environment, environmentWords, type GlobalFlags } from './global-flags.js';
import { createScreen, type Screen, type Terminal } from './terminal.js';
import { UnitReader } from './unit-reader.js';

/** What the program gets from the process that it runs in. */
export interface RunOptions {
  /** The words after the program's name. */
  readonly words: readonly string[];
  readonly environment: Environment;
  readonly terminal: Terminal;
  /** @default systemClock */
  readonly clock?: Clock;
}

/** Runs one command line. Errors are printed; the result is the exit code. */
export async function run({ words, environment, terminal, clock = systemClock }: RunOptions): Promise<number> {
  const screen = await createScreen(terminal);
  const line = normaliseWords(words);
  const name = findCommandName(line);
  try {
    return await runLine({ line, name, environment, screen, clock });
  } catch (error) {
    return explain(error, screen, findCommandPath(line, name));
  } finally {
    screen.progress('');
  }
}

interface Line {
  readonly line: readonly string[];
  readonly name: string | undefined;
  readonly environment: Environment;
  readonly screen: Screen;
  readonly clock: Clock;
}

async function runLine({ line, name, environment, screen, clock }: Line): Promise<number> {
  const program = createProgram(screen);
  let exitCode: number = exitCodes.done;
  if (name === undefined) program.action(() => program.outputHelp());
  let isKnown = name === undefined || name === 'help';
  const load = async (entry: CatalogueEntry, command: Command) => {
    const definition = await entry.load();
    definition.configure(command);
    command.action(async () => {
      const flags = program.opts<GlobalFlags>();
      const client = openClient({ ...flags, endpoint: chooseEndpoint(flags, environment) }, screen);
      try {
        exitCode = await definition.run({ client, reader: new UnitReader(client), screen, clock }, command);
      } finally {
        client.close();
      }
    });
  };
  const fill = async (entry: CatalogueEntry | CommandGroup, command: Command): Promise<void> => {
    if ('load' in entry) return load(entry, command);
    command
      .description(`${entry.summary}.`)
      .helpCommand(false)
      .addHelpText('after', examples(...entry.examples));
    for (const each of entry.commands) await fill(each, declare(command, each));
  };
  for (const entry of catalogue) {
    const command = declare(program, entry);
    if (entry.name !== name) continue;
    isKnown = true;
    await fill(entry, command);
  }
  program.command('help').usage('[COMMAND]').summary('Explain a command').description('Explains a command.');
  // Alone, so that commander finds the nearest command whatever else is on the line.
  await program.parseAsync(isKnown ? [...environmentWords(environment), ...line] : [name ?? ''], { from: 'user' });
  return exitCode;
}

function declare(parent: Command, { name, summary, usage }: Omit<CatalogueEntry, 'load'>): Command {
  const command = parent.command(name).summary(summary).usage(usage);
  const [kind] = /\b(UNIT|ID|FILE|MACHINE|KEY)\b/.exec(usage) ?? [];
  if (kind !== undefined) command.argument(`[${kind.toLowerCase()}...]`);
  return command;
}

function createProgram(screen: Screen): Command {
  const program = new Command('fleetctl');
  program
    .description(`fleetctl ${version}: systemd units on a cluster of machines.`)
    .usage('[global flags] COMMAND [flags] [UNIT...]')
    .helpCommand(false)
    .helpOption('-h, --help', 'explain the command')
    .configureHelp({ showGlobalOptions: true, visibleArguments: () => [], subcommandTerm: (command) => command.name() })
    .configureOutput({ writeOut: (text) => screen.write(text), writeErr: () => undefined })
    .exitOverride()
    .addHelpText('after', (context) => (context.command === program ? firstSteps : ''));
  addGlobalFlags(program);
  return program;
}

const firstSteps = `
A UNIT is a name (web.service; web means web.service), a path to a unit file, an instance of a template (web@1),
a range ('web@{1..10}'), or a pattern on registered units ('web@*').
Each global flag but --user can be given in the environment as FLEETCTL_<NAME>, like FLEETCTL_ENDPOINT.

Run 'fleetctl COMMAND --help' for a command's flags and examples.`;

function openClient(
  { endpoint, requestTimeout, debug }: GlobalFlags & { readonly endpoint: string },
  screen: Screen,
): Client {
  const [first = '', ...others] = endpoint.split(',');
  if (others.length > 0) screen.err(`WARNING: only the first endpoint is used: ${first}`);
  const onExchange = ({ method, path, status }: { method: string; path: string; status: number }) =>
    screen.err(`debug: ${method} ${path} ${status}`);
  return createClient({ endpoint: first, timeoutMs: requestTimeout, ...(debug === true && { onExchange }) });
}

const usageCodes: ReadonlySet<string> = new Set(['usage', 'bad-endpoint']);

/** The command on the line with those below it: `machine unfreeze`. `undefined` if there is no such. */
function findCommandPath(line: readonly string[], name: string | undefined): string | undefined {
  const path: string[] = [];
  let entry = catalogue.find((each) => each.name === name);
  while (entry !== undefined) {
    path.push(entry.name);
    entry = 'load' in entry ? undefined : entry.commands.find((each) => line.includes(each.name));
  }
  return path.length === 0 ? undefined : path.join(' ');
}

function explain(error: unknown, screen: Screen, command: string | undefined): number {
  if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.done;
  const isUsage = error instanceof CommanderError || (error instanceof FleetError && usageCodes.has(error.code));
  // commander would print the help of a group that is called without a command.
  const isBare = error instanceof CommanderError && error.code === 'commander.help';
  const message = isBare ? `'${command}' needs a command` : messageOf(error).replace(/^error: /, '');
  screen.err(screen.palette.bad(`Error: ${message}`));
  if (error instanceof FleetError && error.hint !== undefined) screen.err(error.hint);
  if (!isUsage) return exitCodes.failed;
  screen.err(
    command === undefined ? "Run 'fleetctl --help' for usage." : `Run 'fleetctl ${command} --help' for its usage.`,
  );
  return exitCodes.usage;
}
