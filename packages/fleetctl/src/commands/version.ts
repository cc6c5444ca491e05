import { examples, type FleetctlCommand } from '../command.js';
import { exitCodes } from '../exit-codes.js';
import { versionLine } from '../version-line.js';

export const versionCommand: FleetctlCommand = {
  configure(command) {
    command.description('Prints the version of this program.').addHelpText('after', examples('fleetctl version'));
  },
  async run({ screen }) {
    screen.out(versionLine);
    return exitCodes.done;
  },
};
