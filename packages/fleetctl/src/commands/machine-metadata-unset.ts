import { examples, type FleetctlCommand } from '../command.js';
import { UsageError } from '../errors.js';
import { changeMetadata } from '../metadata-change.js';
import { addJsonFlag } from '../settings-change.js';

interface UnsetFlags {
  readonly reset?: true;
  readonly output?: 'json';
}

export const machineMetadataUnset: FleetctlCommand = {
  configure(command) {
    addJsonFlag(
      command.option('--reset', "forget only what was set: what the machine's own configuration says shows again"),
    )
      .description(
        "Takes metadata away from a machine. A key that the machine's own configuration has (metadata= in fleet.conf) is " +
          'hidden; --reset brings it back. It holds at once: units that no longer fit move away.\n' +
          'MACHINE is its ID, or the beginning of it.',
      )
      .addHelpText(
        'after',
        examples(
          'fleetctl machine metadata unset b1d7 role            the machine has no role any more',
          'fleetctl machine metadata unset --reset b1d7 role    it has that of its own configuration again',
        ),
      );
  },
  async run(context, command) {
    const { reset, output } = command.opts<UnsetFlags>();
    const [machine = '', ...keys] = command.args;
    if (keys.length === 0) throw new UsageError('Name a machine and what it is to have no more: MACHINE KEY...');
    const pair = keys.find((word) => word.includes('='));
    if (pair !== undefined)
      throw new UsageError(`"${pair}" is not a KEY`, 'To give it a value, say `machine metadata set`.');
    return await changeMetadata(context, {
      machine,
      request: reset === true ? { reset: keys } : { unset: keys },
      output,
    });
  },
};
