import type { MachineEntity, MachinePage } from '@flotilla/schema';
import { examples, type FleetctlCommand } from '../command.js';
import { exitCodes } from '../exit-codes.js';
import { addListFlags, formatList, type ListFlags, type ListLayout, parseFields } from '../list-output.js';
import { describeLosses } from '../losses.js';
import { machineIdLabel } from '../machine-label.js';
import { formatMetadata } from '../metadata-cell.js';

const layout: ListLayout<MachineEntity> = {
  cells: {
    machine: ({ id }, isFull) => machineIdLabel(id, isFull),
    ip: ({ primaryIP }) => primaryIP || '-',
    metadata: ({ metadata = {} }) => formatMetadata(metadata),
    limit: ({ maxUnits }) => (maxUnits === undefined ? '-' : String(maxUnits)),
  },
  defaultFields: 'machine,ip,metadata',
  nameOf: ({ id }) => id,
  entityOf: (machine) => machine,
};

export const listMachines: FleetctlCommand = {
  configure(command) {
    addListFlags(command, layout)
      .description(
        'Shows the machines of the cluster with their addresses and metadata; on stderr, below, which are frozen and why, ' +
          'which are gone and still keep their units, and what in etcd wants care.',
      )
      .addHelpText('after', examples('fleetctl list-machines', 'fleetctl list-machines --full --fields machine,ip'));
  },
  async run({ client, screen }, command) {
    const flags = command.opts<ListFlags>();
    parseFields(flags, layout);
    const { machines, alarms, losses } = await client.surveyMachines();
    if (flags.output === 'json') {
      const page: MachinePage = {
        ...(alarms.length > 0 && { alarms }),
        ...(losses.length > 0 && { losses }),
        machines,
      };
      screen.write(`${JSON.stringify(page, null, 2)}\n`);
      return exitCodes.done;
    }
    screen.write(formatList(machines, flags, layout));
    for (const { id, frozen } of machines)
      if (frozen !== undefined) screen.err(screen.palette.waiting(`Machine ${id} starts and stops nothing: ${frozen}`));
    for (const line of describeLosses(losses)) screen.err(screen.palette.waiting(line));
    for (const { message } of alarms) screen.err(screen.palette.bad(`Alarm: ${message}`));
    return exitCodes.done;
  },
};
