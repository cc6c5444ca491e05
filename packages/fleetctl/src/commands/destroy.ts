import { examples, type FleetctlCommand } from '../command.js';
import { destroy } from '../take-down.js';
import { addWaitFlags, type WaitFlags, waitLimitMs } from '../wait-flags.js';

export const destroyCommand: FleetctlCommand = {
  configure(command) {
    addWaitFlags(command)
      .description(
        'Forgets units: stops them, takes them off their machines, and waits until they are gone everywhere.',
      )
      .addHelpText(
        'after',
        examples(
          'fleetctl destroy web.service',
          "fleetctl destroy 'web@*'             all instances and the template",
          'fleetctl destroy --no-block web.service',
        ),
      );
  },
  run(context, command) {
    return destroy(context, { units: command.args, limitMs: waitLimitMs(command.opts<WaitFlags>()) });
  },
};
