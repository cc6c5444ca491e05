import { bringUp } from '../bring-up.js';
import { examples, type FleetctlCommand } from '../command.js';
import { addCreatingFlags, readCreatingRequest } from '../creating-flags.js';

export const load: FleetctlCommand = {
  configure(command) {
    addCreatingFlags(command)
      .description(
        'Chooses a machine for each unit and loads it there, without starting it. Units that are not registered yet are ' +
          'registered from their files. A unit that is launched already stays so.',
      )
      .addHelpText(
        'after',
        examples(
          'fleetctl load web.service        place it; `fleetctl start web` starts it there',
          'fleetctl load web.timer web@1    several at once',
        ),
      );
  },
  run(context, command) {
    return bringUp(context, readCreatingRequest('load', command, context.screen));
  },
};
