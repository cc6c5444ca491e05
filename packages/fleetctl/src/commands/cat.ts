import { examples, type FleetctlCommand } from '../command.js';
import { retrieve, UsageError } from '../errors.js';
import { exitCodes } from '../exit-codes.js';
import { parseUnitArguments } from '../unit-arguments.js';
import { storedContent } from '../unit-content.js';

export const cat: FleetctlCommand = {
  configure(command) {
    command
      .description('Prints a unit file as it was submitted, comments included.')
      .addHelpText('after', examples('fleetctl cat web.service', 'fleetctl cat web@.service > web@.service'));
  },
  async run({ client, screen }, command) {
    const [unit, ...more] = command.args.length === 1 ? parseUnitArguments(command.args) : [];
    if (unit?.kind !== 'name' || more.length > 0) throw new UsageError('One unit file must be provided');
    const stored = await retrieve(
      (message) => `Error retrieving Unit ${unit.name}: ${message}`,
      () => client.findUnit(unit.name),
    );
    if (stored === undefined) {
      screen.err(`Unit ${unit.name} not found`);
      return exitCodes.failed;
    }
    screen.write(storedContent(stored).text);
    return exitCodes.done;
  },
};
