import { examples, type FleetctlCommand } from '../command.js';
import { UsageError } from '../errors.js';
import { changeMetadata } from '../metadata-change.js';
import { parsePairs } from '../pairs.js';
import { addJsonFlag } from '../settings-change.js';

export const machineMetadataSet: FleetctlCommand = {
  configure(command) {
    addJsonFlag(command)
      .description(
        'Gives a machine metadata, over what its own configuration says: for MachineMetadata= and the like. It holds at once, ' +
          'and outlives restarts of the machine: units that no longer fit move away, and units that wait for it come.\n' +
          'MACHINE is its ID, or the beginning of it.',
      )
      .addHelpText(
        'after',
        examples(
          'fleetctl machine metadata set b1d7 role=db             one key',
          'fleetctl machine metadata set b1d7 role=db disk=ssd    several at once',
        ),
      );
  },
  async run(context, command) {
    const [machine = '', ...words] = command.args;
    if (words.length === 0) throw new UsageError('Name a machine and what it is to have: MACHINE KEY=VALUE...');
    const set = parsePairs(words);
    const empty = [...set].find(([, value]) => value === '');
    if (empty !== undefined)
      throw new UsageError(`${empty[0]} has no value`, 'To take a key away, say `machine metadata unset`.');
    const { output } = command.opts<{ readonly output?: 'json' }>();
    return await changeMetadata(context, { machine, request: { set: Object.fromEntries(set) }, output });
  },
};
