import { bringUp } from '../bring-up.js';
import { examples, type FleetctlCommand } from '../command.js';
import { addCreatingFlags, readCreatingRequest } from '../creating-flags.js';

export const start: FleetctlCommand = {
  configure(command) {
    addCreatingFlags(command)
      .description(
        'Runs units: registers those that are not yet, from their files or templates, has a machine chosen for each, and ' +
          'waits until systemd says that they are active. A unit that waits for a machine or fails says why. A ' +
          'oneshot counts as soon as it has begun, a global unit as soon as some machine has it.\n' +
          'Exit code: 0 all run, 1 one failed, 2 one is not there yet when the wait is over.',
      )
      .addHelpText(
        'after',
        examples(
          'fleetctl start web.service               from the file, or as it is registered',
          "fleetctl start 'web@{1..10}'             ten instances of web@.service",
          'fleetctl start --replace web.service     with the changed file',
          'fleetctl start --no-block web.service    ask for it and return',
          'fleetctl start --wait=5m big.service     wait longer than a minute',
        ),
      );
  },
  run(context, command) {
    return bringUp(context, readCreatingRequest('start', command, context.screen));
  },
};
