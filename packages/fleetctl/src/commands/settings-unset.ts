import { examples, type FleetctlCommand } from '../command.js';
import { UsageError } from '../errors.js';
import { addJsonFlag, changeSettings } from '../settings-change.js';

export const settingsUnset: FleetctlCommand = {
  configure(command) {
    addJsonFlag(command)
      .description(
        'Goes back to the defaults of the settings that are named; of all or, if one does not exist, of none.',
      )
      .addHelpText(
        'after',
        examples('fleetctl settings unset strategy', 'fleetctl settings unset loss_brake loss_burst'),
      );
  },
  async run(context, command) {
    if (command.args.length === 0)
      throw new UsageError('No KEY given', '`fleetctl settings get` shows which settings there are.');
    const pair = command.args.find((word) => word.includes('='));
    if (pair !== undefined) throw new UsageError(`"${pair}" is not a KEY`, 'To give it a value, say `settings set`.');
    return await changeSettings(context, Object.fromEntries(command.args.map((key) => [key, null])), command.opts());
  },
};
