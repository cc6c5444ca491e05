import { ApiError, mapInFlight } from '@flotilla/client';
import type { LossEntity, MachineEntity } from '@flotilla/schema';
import { examples, type FleetctlCommand } from '../command.js';
import type { Context } from '../context.js';
import { messageOf, UsageError } from '../errors.js';
import { exitCodes } from '../exit-codes.js';
import { countUnits } from '../losses.js';
import { findMachines, machineLabel } from '../machine-label.js';
import { addJsonFlag } from '../settings-change.js';
import { formatStructured } from '../structured.js';

interface ReleaseFlags {
  readonly all?: true;
  readonly dryRun?: true;
  readonly output?: 'json';
}

/** A machine that is gone. */
interface GoneMachine extends LossEntity {
  readonly id: string;
}

export const machineRelease: FleetctlCommand = {
  configure(command) {
    addJsonFlag(command)
      .option('--all', 'all machines that are gone and held back')
      .option('--dry-run', 'only print what it would do')
      .description(
        'When many machines are gone at once it may be the network or etcd, and not they: then nothing is moved, until enough are ' +
          'back. `fleetctl list-machines` shows which machines are gone and keep their units for now.\n' +
          'Release those that you know to be lost: their units are placed elsewhere at once. A machine that is only cut off goes ' +
          'on running its copies of them until contact is back. It holds until the machine is back.\n' +
          'One that is lost already, and named, is forgotten: it is in no list any more, until it is back.\n' +
          'Exit code: 0 done, 1 a machine is unknown, not gone or not released.',
      )
      .addHelpText(
        'after',
        examples(
          'fleetctl machine release --all --dry-run    see what would happen',
          'fleetctl machine release b1d7               one machine, by the beginning of its ID',
        ),
      );
  },
  async run(context, command) {
    const flags = command.opts<ReleaseFlags>();
    if (command.args.length > 0 === (flags.all === true))
      throw new UsageError(
        'Name machines, or say --all: one of the two',
        'Those that are held back are in `fleetctl list-machines`.',
      );
    const { client, screen } = context;
    const { machines, losses } = await client.surveyMachines();
    const gone = losses.map((loss): GoneMachine => ({ ...loss, id: loss.machineID }));
    const { chosen, problems } = select(command.args, gone, machines);
    for (const problem of problems) screen.err(screen.palette.bad(`Error: ${problem}`));
    if (problems.length > 0) return exitCodes.failed;
    if (chosen.length === 0) screen.err('No machine is held back.');
    const verb = flags.dryRun === true ? 'would be' : 'is';
    if (flags.output === 'json') {
      const entities = chosen.map(({ id: _, ...loss }): LossEntity => loss);
      screen.write(await formatStructured(entities, 'json'));
    } else
      for (const machine of chosen) screen.out(`Machine ${machineLabel(machine, true)} ${verb} ${describe(machine)}`);
    return flags.dryRun === true || (await releaseAll(context, chosen)) ? exitCodes.done : exitCodes.failed;
  },
};

function describe({ state, units }: GoneMachine): string {
  return state === 'lost' ? 'forgotten' : `lost: ${countUnits(units)} to be placed elsewhere`;
}

/** The machines that `ids` name, each once; all that are held back, if there are no IDs. */
function select(ids: readonly string[], gone: readonly GoneMachine[], alive: readonly MachineEntity[]) {
  const problems: string[] = [];
  if (ids.length === 0) return { chosen: gone.filter(({ state }) => state !== 'lost'), problems };
  const chosen = new Map<string, GoneMachine>();
  for (const id of ids) {
    const found = findMachines([...gone, ...alive], id);
    const [machine] = found;
    if (machine === undefined) problems.push(`no machine has an ID that begins with ${id}`);
    else if (found.length > 1) problems.push(`${found.length} machines have an ID that begins with ${id}`);
    else if (!('state' in machine)) problems.push(`machine ${machine.id} is alive`);
    else chosen.set(machine.id, machine);
  }
  return { chosen: [...chosen.values()], problems };
}

/** Whether all were released. One that was not keeps no other one. */
async function releaseAll({ client, screen }: Context, machines: readonly GoneMachine[]): Promise<boolean> {
  const released = await mapInFlight(machines, async (machine) => {
    try {
      await client.releaseMachine(machine.id);
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      screen.err(screen.palette.bad(`Machine ${machineLabel(machine)} was not released: ${messageOf(error)}`));
      return false;
    }
  });
  return released.every(Boolean);
}
