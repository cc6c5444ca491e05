import { assertNever } from '@flotilla/errors';
import type { MachineLimitAnswer } from '@flotilla/schema';
import { chooseMachine } from '../chosen-machine.js';
import { examples, type FleetctlCommand } from '../command.js';
import { UsageError } from '../errors.js';
import { exitCodes } from '../exit-codes.js';
import { machineLabel } from '../machine-label.js';
import { addJsonFlag } from '../settings-change.js';

export const machineLimit: FleetctlCommand = {
  configure(command) {
    addJsonFlag(command)
      .description(
        'Says how many units a machine takes: those that are placed there and the global ones that run there count. A ' +
          'machine that has more keeps them, and takes no new ones.\n' +
          'none takes that back: then max_units of its own configuration holds, or else that of `fleetctl settings`.\n' +
          'MACHINE is its ID, or the beginning of it.',
      )
      .addHelpText('after', examples('fleetctl machine limit b1d7 20', 'fleetctl machine limit b1d7 none'));
  },
  async run(context, command) {
    const [text = '', count = '', ...others] = command.args;
    if (count === '' || others.length > 0) throw new UsageError('Name one machine and its limit: MACHINE (N|none)');
    const maxUnits = parseLimit(count);
    const machine = await chooseMachine(context, text);
    if (machine === undefined) return exitCodes.failed;
    const answer = await context.client.limitMachine(machine.id, { maxUnits });
    const { output } = command.opts<{ readonly output?: 'json' }>();
    if (output === 'json') context.screen.write(`${JSON.stringify(answer, null, 2)}\n`);
    else context.screen.out(`Machine ${machineLabel(machine)} ${describe(answer)}`);
    return exitCodes.done;
  },
};

function parseLimit(text: string): number | null {
  if (text === 'none') return null;
  const count = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (count < 1) throw new UsageError(`"${text}" is no limit: it must be a whole number from 1, or none`);
  return count;
}

function describe({ maxUnits, source = 'api' }: MachineLimitAnswer): string {
  if (maxUnits === undefined) return 'takes any number of units';
  const count = `takes ${maxUnits} ${maxUnits === 1 ? 'unit' : 'units'}`;
  switch (source) {
    case 'api':
      return count;
    case 'machine':
      return `${count}, as its own configuration says`;
    case 'cluster':
      return `${count}, as the setting max_units says`;
    default:
      return assertNever(source);
  }
}
