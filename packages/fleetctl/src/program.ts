import { Command } from 'commander';
import { type CatalogueEntry, type CommandGroup, catalogue } from './catalogue.js';
import { examples, type FleetctlCommand } from './command.js';
import type { CommandPath } from './command-path.js';
import { addGlobalFlags } from './global-flags.js';
import { formatHelp } from './help-text.js';

/** The program with its global flags; what it has to say by itself, help and version, goes to `write`. */
export function createProgram(write: (text: string) => void): Command {
  const program = new Command('fleetctl');
  program
    .description('Runs systemd units on a cluster of machines, through any fleetd of it.')
    .usage('[global flags] COMMAND [flags] [UNIT...]')
    .helpCommand(false)
    .helpOption('-h, --help', 'explain the command')
    .configureHelp({ formatHelp })
    .configureOutput({ writeOut: write, writeErr: () => undefined, getOutHelpWidth: () => 80 })
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

/** A command with its flags, and what it does; groups and the program itself do nothing. */
export interface DeclaredCommand {
  readonly command: Command;
  readonly definition: FleetctlCommand | undefined;
}

/** Declares all commands, and loads the one that the path leads to. */
export async function declarePath(
  program: Command,
  { entries }: Pick<CommandPath, 'entries'>,
): Promise<DeclaredCommand> {
  for (const entry of catalogue) declare(program, entry);
  program.command('help').usage('[COMMAND]').summary('Explain a command').description('Explains a command.');
  const command = entries.reduce(below, program);
  const entry = entries.at(-1);
  if (entry === undefined) program.action(() => program.outputHelp());
  const definition = entry !== undefined && 'load' in entry ? await entry.load() : undefined;
  definition?.configure(command);
  return { command, definition };
}

/** The command of a path's next step, which then knows those below it. */
function below(parent: Command, entry: CatalogueEntry | CommandGroup): Command {
  const command = parent.commands.find((each) => each.name() === entry.name) ?? declare(parent, entry);
  if (!('load' in entry)) command.description(`${entry.summary}.`).addHelpText('after', examples(...entry.examples));
  if (entry.commands !== undefined) command.helpCommand(false);
  for (const each of entry.commands ?? []) declare(command, each);
  return command;
}

function declare(parent: Command, entry: CatalogueEntry | CommandGroup): Command {
  const { name, summary, usage } = entry;
  const command = parent
    .command(name, { hidden: 'isHidden' in entry })
    .summary(summary)
    .usage(usage);
  const [kind] = /\b(UNIT|ID|FILE|PATH|MACHINE|KEY|NAME|SOCKET|WORD)\b/.exec(usage) ?? [];
  if (kind !== undefined) command.argument(`[${kind.toLowerCase()}...]`);
  return command;
}
