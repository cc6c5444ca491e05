import { examples, type LocalCommand } from '../command.js';
import { exitCodes } from '../exit-codes.js';
import { versionLine } from '../version-line.js';

export const versionCommand: LocalCommand = {
  configure(command) {
    command.description('Prints the version of this program.').addHelpText('after', examples('fleetctl version'));
  },
  async runLocally({ screen }) {
    screen.out(versionLine);
    return exitCodes.done;
  },
};
