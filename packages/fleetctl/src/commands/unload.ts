import { examples, type FleetctlCommand } from '../command.js';
import { lower } from '../take-down.js';
import { addWaitFlags, type WaitFlags, waitLimitMs } from '../wait-flags.js';

export const unload: FleetctlCommand = {
  configure(command) {
    addWaitFlags(command)
      .description(
        'Stops units, takes them off their machines and waits until they are gone there. They stay registered, and ' +
          '`fleetctl start` runs them again, perhaps elsewhere.',
      )
      .addHelpText('after', examples('fleetctl unload web.service', "fleetctl unload 'web@*'    all instances"));
  },
  run(context, command) {
    return lower(context, { verb: 'unload', units: command.args, limitMs: waitLimitMs(command.opts<WaitFlags>()) });
  },
};
