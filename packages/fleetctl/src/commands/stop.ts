import { examples, type FleetctlCommand } from '../command.js';
import { lower } from '../take-down.js';
import { addWaitFlags, type WaitFlags, waitLimitMs } from '../wait-flags.js';

export const stop: FleetctlCommand = {
  configure(command) {
    addWaitFlags(command)
      .description(
        'Stops units and waits until they are. They stay loaded on their machines; `fleetctl start` runs them again.',
      )
      .addHelpText(
        'after',
        examples(
          'fleetctl stop web.service',
          "fleetctl stop 'web@*'        all instances; quoted, so that the shell leaves the star alone",
        ),
      );
  },
  run(context, command) {
    return lower(context, { verb: 'stop', units: command.args, limitMs: waitLimitMs(command.opts<WaitFlags>()) });
  },
};
