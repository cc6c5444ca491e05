import { FleetError } from '@flotilla/errors';
import { type Clock, systemClock } from '@flotilla/runtime';
import { type Command, CommanderError } from 'commander';
import type { FleetctlCommand } from './command.js';
import { plainFlags, renameFlags } from './command-line.js';
import { type CommandPath, findCommandPath, pathText, unknownCommand } from './command-path.js';
import { openClient } from './connection.js';
import type { ByteStreams } from './context.js';
import { chooseEndpoint, isOwnEndpoint } from './endpoint-choice.js';
import { messageOf } from './errors.js';
import { exitCodes } from './exit-codes.js';
import { type Environment, readGlobalFlags } from './global-flags.js';
import { createLocalHost, type LocalHost } from './local-host.js';
import { createProgram, declarePath } from './program.js';
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
  const program = createProgram((text) => screen.write(text));
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
  const { command, definition } = await declarePath(program, path);
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
  const readFlags = () => readGlobalFlags(program, environment, denied);
  const connect = () => openClient(readFlags(), environment, screen);
  if ('runLocally' in definition) return definition.runLocally({ ...local, connect }, command);
  const flags = readFlags();
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

const usageCodes: ReadonlySet<string> = new Set(['usage', 'bad-endpoint', 'bad-owner-name']);

function explain(error: unknown, screen: Screen, path: CommandPath): number {
  if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.done;
  const isUsage = error instanceof CommanderError || (error instanceof FleetError && usageCodes.has(error.code));
  const command = pathText(path);
  // commander would print the help of a group that is called without a command.
  const isBare = error instanceof CommanderError && error.code === 'commander.help';
  const message = isBare ? `'${command}' needs a command` : messageOf(error).replace(/^error: /, '');
  screen.err(screen.palette.bad(message.startsWith('Error ') ? message : `Error: ${message}`));
  if (error instanceof FleetError && error.hint !== undefined) screen.err(error.hint);
  if (!isUsage) return exitCodes.failed;
  screen.err(command === '' ? "Run 'fleetctl --help' for usage." : `Run 'fleetctl ${command} --help' for its usage.`);
  return exitCodes.usage;
}
