import { Option } from 'commander';
import { examples, type FleetctlCommand } from '../command.js';
import type { Context } from '../context.js';
import { retrieve } from '../errors.js';
import { exitCodes } from '../exit-codes.js';
import { readLabels } from '../machine-label.js';
import { selectUnits } from '../selection.js';
import { showUnits } from '../show-status.js';
import { isWaiting, type Subject } from '../status-text.js';
import { formatStructured, type StructuredForm } from '../structured.js';
import { parseUnitArguments, type UnitArgument } from '../unit-arguments.js';
import { isRunning } from '../verdict.js';

interface StatusFlags {
  readonly full?: true;
  readonly output?: StructuredForm;
}

export const status: FleetctlCommand = {
  configure(command) {
    command
      .option('-l, --full', 'do not shorten IDs')
      .addOption(new Option('-o, --output <form>', 'the unit and its states, for programs').choices(['json', 'yaml']))
      .addOption(new Option('--no-block').hideHelp())
      .addOption(new Option('--ssh-port <port>').hideHelp())
      .description(
        'Shows how units fare: of those on this host, what `systemctl status -l` says; of others, what fleetd knows, in the same ' +
          'words; of a global unit, both, one machine after the other. Of a unit that waits, why and since when; of one with an ' +
          'error, what it is.\n' +
          'Without UNIT, it shows how the cluster fares, and exits with 0.\n' +
          'Exit code: 0 all are active, 1 one is unknown or on no machine by wish, 2 one waits for a machine, 3 one is not active; ' +
          'else what systemctl says, or 255 if it can not be run.',
      )
      .addHelpText(
        'after',
        examples('fleetctl status web.service', "fleetctl status 'web@*'", 'fleetctl status -o json web'),
      );
  },
  async run(context, command) {
    const { full, output } = command.opts<StatusFlags>();
    const isFull = full === true;
    if (command.args.length === 0) {
      const { showCluster } = await import('../cluster-status.js');
      return showCluster(context, { isFull, output });
    }
    const { screen } = context;
    const wanted = parseUnitArguments(command.args);
    const { unmatched, found } = await retrieve(
      (message) => `Error retrieving unit: ${message}`,
      () => find(context, wanted),
    );
    for (const pattern of unmatched) screen.err(screen.palette.bad(`no unit in the registry matches ${pattern}`));
    const codes = output === undefined ? await showAll(context, found, isFull) : await print(context, found, output);
    return worstCode(unmatched.length > 0 ? [exitCodes.failed, ...codes] : codes);
  },
};

interface Found {
  readonly name: string;
  readonly subject: Subject | undefined;
}

async function find({ client, reader }: Context, wanted: readonly UnitArgument[]) {
  const { units: chosen, unmatched } = await selectUnits(client, wanted);
  const names = chosen.map(({ name }) => name);
  const [units, states] = await Promise.all([reader.units(names), reader.states(names)]);
  const found = names.map((name): Found => {
    const unit = units.get(name);
    return { name, subject: unit && { unit, states: states.get(name) ?? [] } };
  });
  return { unmatched, found };
}

async function showAll(context: Context, found: readonly Found[], isFull: boolean): Promise<number[]> {
  const isAnyKnown = found.some(({ subject }) => subject !== undefined);
  const label = isAnyKnown ? await readLabels(context.client, isFull) : (id: string) => id;
  return showUnits(context, found, label);
}

async function print({ screen }: Context, found: readonly Found[], form: StructuredForm): Promise<number[]> {
  const subjects = found.flatMap(({ subject }) => subject ?? []);
  const entries = subjects.map(({ unit: { file: _, ...unit }, states }) => ({ states, unit }));
  screen.write(await formatStructured(entries, form));
  for (const { name, subject } of found)
    if (subject === undefined) screen.err(screen.palette.bad(`Unit ${name} does not exist.`));
  return found.map(({ subject }) => (subject === undefined ? exitCodes.failed : exitCodeOf(subject)));
}

function exitCodeOf({ unit, states }: Subject): number {
  if (unit.desiredState === 'inactive' && states.length === 0) return exitCodes.failed;
  if (isWaiting({ unit, states })) return exitCodes.pending;
  return states.length > 0 && states.every(isRunning) ? exitCodes.done : exitCodes.notActive;
}

/** A problem of fleetctl's own comes before one of the cluster, and that before what systemd says. */
function worstCode(codes: readonly number[]): number {
  const { done, failed, notRun, pending } = exitCodes;
  return [notRun, failed, pending].find((code) => codes.includes(code)) ?? Math.max(done, ...codes);
}
