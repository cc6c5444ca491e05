import type { MachineEntity, UnitEntity } from '@flotilla/schema';
import { describeUnit, hashUnitFile } from '@flotilla/unit';
import { examples, type FleetctlCommand } from '../command.js';
import { exitCodes } from '../exit-codes.js';
import { addListFlags, formatList, type ListFlags, type ListLayout, parseFields } from '../list-output.js';
import { machineLabel } from '../machine-label.js';
import { shortHashCell } from '../unit-cells.js';
import { isGlobalUnit, storedFile } from '../unit-content.js';

interface Row {
  readonly unit: UnitEntity;
  readonly isGlobal: boolean;
  readonly machine: Pick<MachineEntity, 'id' | 'primaryIP'> | undefined;
}

const target = ({ isGlobal, machine }: Row, isFull: boolean) => {
  if (isGlobal) return 'global';
  return machine === undefined ? '-' : machineLabel(machine, isFull);
};

const layout: ListLayout<Row> = {
  cells: {
    desc: ({ unit }) => describeUnit(storedFile(unit)) || '-',
    dstate: ({ unit }) => unit.desiredState || '-',
    global: ({ isGlobal }) => String(isGlobal),
    hash: ({ unit }, isFull) => shortHashCell(hashUnitFile(storedFile(unit)), isFull),
    reason: ({ unit }) => unit.reason ?? '-',
    since: ({ unit }) => (unit.waitingSince === undefined ? '-' : new Date(unit.waitingSince).toISOString()),
    state: ({ unit, isGlobal }) => (isGlobal ? '-' : unit.currentState || '-'),
    target,
    tmachine: target,
    unit: ({ unit }) => unit.name,
  },
  defaultFields: 'unit,hash,dstate,state,target',
  nameOf: ({ unit }) => unit.name,
  entityOf: ({ unit }) => unit,
};

export const listUnitFiles: FleetctlCommand = {
  configure(command) {
    addListFlags(command, layout)
      .description(
        'Shows the registered units: what was asked of each (dstate), how far it is (state), and where it belongs (target). A ' +
          'unit that waits for a machine says why (reason) and since when (since).',
      )
      .addHelpText(
        'after',
        examples(
          'fleetctl list-unit-files',
          'fleetctl list-unit-files --fields unit,desc',
          'fleetctl list-unit-files --fields unit,dstate,target,reason    what waits, and why',
          'fleetctl list-unit-files -o name',
        ),
      );
  },
  async run({ client, screen }, command) {
    const flags = command.opts<ListFlags>();
    if (parseFields(flags, layout).includes('tmachine'))
      screen.err('WARNING: The "tmachine" field is deprecated. Use "target" instead');
    const [units, machines] = await Promise.all([client.listUnits(), client.listMachines()]);
    const machineById = new Map(machines.map((machine) => [machine.id, machine]));
    const rows = units.map((unit) => {
      const id = unit.machineID;
      return { unit, isGlobal: isGlobalUnit(unit), machine: id ? (machineById.get(id) ?? { id }) : undefined };
    });
    screen.write(formatList(rows, flags, layout));
    return exitCodes.done;
  },
};
