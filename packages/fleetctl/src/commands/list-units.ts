import type { MachineEntity, UnitStateEntity } from '@flotilla/schema';
import { examples, type FleetctlCommand } from '../command.js';
import { exitCodes } from '../exit-codes.js';
import { addListFlags, formatList, type ListFlags, type ListLayout, parseFields } from '../list-output.js';
import { machineLabel } from '../machine-label.js';
import { shortHashCell } from '../unit-cells.js';

interface Row {
  readonly state: UnitStateEntity;
  readonly machine: Pick<MachineEntity, 'id' | 'primaryIP'> | undefined;
}

const layout: ListLayout<Row> = {
  cells: {
    active: ({ state }) => state.systemdActiveState || '-',
    hash: ({ state }, isFull) => shortHashCell(state.hash, isFull),
    load: ({ state }) => state.systemdLoadState || '-',
    machine: ({ machine }, isFull) => (machine === undefined ? '-' : machineLabel(machine, isFull)),
    sub: ({ state }) => state.systemdSubState || '-',
    unit: ({ state }) => state.name,
  },
  defaultFields: 'unit,machine,active,sub',
  nameOf: ({ state }) => state.name,
  entityOf: ({ state }) => state,
};

export const listUnits: FleetctlCommand = {
  configure(command) {
    addListFlags(command, layout)
      .description(
        'Shows the state of each unit on the machine that it is on, in the words of systemd; a global unit has one line per ' +
          'machine. Units that are on no machine are only in `fleetctl list-unit-files`.',
      )
      .addHelpText(
        'after',
        examples(
          'fleetctl list-units',
          'fleetctl list-units --fields unit,hash,load --full',
          'fleetctl list-units --no-legend --fields unit,active | grep failed',
        ),
      );
  },
  async run({ client, screen }, command) {
    const flags = command.opts<ListFlags>();
    parseFields(flags, layout);
    const [states, machines] = await Promise.all([client.listStates(), client.listMachines()]);
    const machineById = new Map(machines.map((machine) => [machine.id, machine]));
    const rows = states.map((state) => {
      const id = state.machineID;
      return { state, machine: id ? (machineById.get(id) ?? { id }) : undefined };
    });
    screen.write(formatList(rows, flags, layout));
    return exitCodes.done;
  },
};
