import { examples, type FleetctlCommand } from '../command.js';
import { UsageError } from '../errors.js';
import { parsePairs } from '../pairs.js';
import { addJsonFlag, changeSettings } from '../settings-change.js';

export const settingsSet: FleetctlCommand = {
  configure(command) {
    addJsonFlag(command)
      .description(
        'Changes settings of the cluster, all that are named or, if one of them is wrong, none. They hold at once, for ' +
          'what is decided from then on: no unit that fits where it is moves because of a setting. `fleetctl settings get` ' +
          'shows which there are.',
      )
      .addHelpText(
        'after',
        examples(
          'fleetctl settings set strategy=binpack                   fill machines one by one',
          'fleetctl settings set max_units=50                       no more than 50 units on a machine',
          'fleetctl settings set loss_brake=30% loss_interval=1m    move less when many machines are lost at once',
        ),
      );
  },
  async run(context, command) {
    if (command.args.length === 0)
      throw new UsageError('No KEY=VALUE given', '`fleetctl settings get` shows which settings there are.');
    return await changeSettings(context, Object.fromEntries(parsePairs(command.args)), command.opts());
  },
};
