import { FleetError } from '@flotilla/errors';
import { type Clock, systemClock } from '@flotilla/runtime';
import { Command, CommanderError } from 'commander';
import { type CatalogueEntry, type CommandGroup, catalogue } from './catalogue.js';
import { examples, type FleetctlCommand } from './command.js';
import { plainFlags, renameFlags } from './command-line.js';
import { type CommandPath, findCommandPath, pathText, unknownCommand } from './command-path.js';
import { openClient } from './connection.js';
import type { ByteStreams } from './context.js';
import { chooseEndpoint, isOwnEndpoint } from './endpoint-choice.js';
import { messageOf } from './errors.js';
import { exitCodes } from './exit-codes.js';
import { addGlobalFlags, type Environment, readGlobalFlags } from './global-flags.js';
import { formatHelp } from './help-text.js';
import { createLocalHost, type LocalHost } from './local-host.js';
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
  /** The process's stdin and stdout. @default none: only commands that carry other programs' bytes ask for them */
  readonly openStreams?: () => ByteStreams;
  /** @default the one that it runs on */
  readonly host?: LocalHost;
}

/** Runs one command line. Errors are printed; the result is the exit code. */
export async function run(options: RunOptions): Promise<number> {
  const screen = await createScreen(options.terminal);
  const program = createProgram(screen);
  const path = findCommandPath(renameFlags(options.words), program.options);
  try {
    return await runPath({ ...options, screen, program, path });
  } catch (error) {
    return explain(error, screen, path);
  } finally {
    screen.progress();
  }
}

interface Call extends RunOptions {
  readonly screen: Screen;
  readonly program: Command;
  readonly path: CommandPath;
}

async function runPath(call: Call): Promise<number> {
  const { program, path } = call;
  if (path.unknown !== undefined) throw await unknownCommand(path, path.unknown);
  for (const entry of catalogue) declare(program, entry);
  program.command('help').usage('[COMMAND]').summary('Explain a command').description('Explains a command.');
  const command = path.entries.reduce(below, program);
  const entry = path.entries.at(-1);
  const definition = entry !== undefined && 'load' in entry ? await entry.load() : undefined;
  definition?.configure(command);
  if (entry === undefined) program.action(() => program.outputHelp());
  const { words, denied } = plainFlags(path.rest, [...program.options, ...command.options]);
  let exitCode: number = exitCodes.done;
  if (definition !== undefined)
    command.action(async () => {
      exitCode = await runDefinition(definition, call, { command, denied });
    });
  await program.parseAsync([...path.entries.map(({ name }) => name), ...words], { from: 'user' });
  return exitCode;
}

async function runDefinition(
  definition: FleetctlCommand,
  { program, environment, screen, clock = systemClock, openStreams = noStreams, host }: Call,
  { command, denied }: { readonly command: Command; readonly denied: ReadonlySet<string> },
): Promise<number> {
  const local = { screen, clock, openStreams };
  if ('runLocally' in definition) return definition.runLocally(local, command);
  const flags = readGlobalFlags(program, environment, denied);
  const client = await openClient(flags, environment, screen);
  const isUser = isOwnEndpoint(chooseEndpoint(flags, environment), environment);
  try {
    const reader = new UnitReader(client);
    return await definition.run({ ...local, client, reader, host: host ?? createLocalHost({ isUser }) }, command);
  } finally {
    client.close();
  }
}

function noStreams(): never {
  throw new Error('no streams were given');
}

/** The command of a path's next step, which then knows those below it. */
function below(parent: Command, entry: CatalogueEntry | CommandGroup): Command {
  const command = parent.commands.find((each) => each.name() === entry.name) ?? declare(parent, entry);
  if ('load' in entry) return command;
  command
    .description(`${entry.summary}.`)
    .helpCommand(false)
    .addHelpText('after', examples(...entry.examples));
  for (const each of entry.commands) declare(command, each);
  return command;
}

function declare(parent: Command, { name, summary, usage }: Omit<CatalogueEntry, 'load'>): Command {
  const command = parent.command(name).summary(summary).usage(usage);
  const [kind] = /\b(UNIT|ID|FILE|MACHINE|KEY|SOCKET|SHELL)\b/.exec(usage) ?? [];
  if (kind !== undefined) command.argument(`[${kind.toLowerCase()}...]`);
  return command;
}

function createProgram(screen: Screen): Command {
  const program = new Command('fleetctl');
  program
    .description('Runs systemd units on a cluster of machines, through any fleetd of it.')
    .usage('[global flags] COMMAND [flags] [UNIT...]')
    .helpCommand(false)
    .helpOption('-h, --help', 'explain the command')
    .configureHelp({ formatHelp })
    .configureOutput({ writeOut: (text) => screen.write(text), writeErr: () => undefined, getOutHelpWidth: () => 80 })
    .exitOverride()
    .addHelpText('after', (context) => (context.command === program ? firstSteps : ''));
  addGlobalFlags(program);
  return program;
}

const firstSteps = `
A UNIT is a name (web.service; web means web.service), a path to a unit file, an
instance of a template (web@1), a range ('web@{1..10}'), or a pattern on
registered units ('web@*').
Global flags may stand anywhere on the line. Each but --user can be given in the
environment as FLEETCTL_<NAME>, like FLEETCTL_ENDPOINT; the line wins.

Run 'fleetctl COMMAND --help' for a command's flags and examples.`;

const usageCodes: ReadonlySet<string> = new Set(['usage', 'bad-endpoint']);

function explain(error: unknown, screen: Screen, path: CommandPath): number {
  if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.done;
  const isUsage = error instanceof CommanderError || (error instanceof FleetError && usageCodes.has(error.code));
  const command = pathText(path);
  // commander would print the help of a group that is called without a command.
  const isBare = error instanceof CommanderError && error.code === 'commander.help';
  const message = isBare ? `'${command}' needs a command` : messageOf(error).replace(/^error: /, '');
  screen.err(screen.palette.bad(`Error: ${message}`));
  if (error instanceof FleetError && error.hint !== undefined) screen.err(error.hint);
  if (!isUsage) return exitCodes.failed;
  screen.err(command === '' ? "Run 'fleetctl --help' for usage." : `Run 'fleetctl ${command} --help' for its usage.`);
  return exitCodes.usage;
}
