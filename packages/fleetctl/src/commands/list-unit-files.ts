import type { MachineEntity, UnitEntity } from '@flotilla/schema';
import { describeUnit, hashUnitFile, parseOwnerName } from '@flotilla/unit';
import { examples, type FleetctlCommand } from '../command.js';
import type { Context } from '../context.js';
import { addListFlags, chooseListing, type ListFlags, type ListLayout } from '../list-output.js';
import { machineLabel } from '../machine-label.js';
import { readRivals } from '../rival-directories.js';
import { showList } from '../show-list.js';
import { formatTime } from '../since.js';
import { shortHashCell } from '../unit-cells.js';
import { isGlobalUnit, storedFile } from '../unit-content.js';
import { addUnitFilter, chooseUnitFilter, type UnitFilter, type UnitFilterFlags } from '../unit-filter.js';

interface Row {
  readonly unit: UnitEntity;
  readonly isGlobal: boolean;
  readonly machine: Pick<MachineEntity, 'id' | 'primaryIP'> | undefined;
  /** Directories that have a file of it although it is not theirs. */
  readonly rivals: readonly string[];
}

interface FileListFlags extends ListFlags, UnitFilterFlags {
  readonly owner?: string;
}

const target = ({ isGlobal, machine }: Row, isFull: boolean) => {
  if (isGlobal) return 'global';
  return machine === undefined ? '-' : machineLabel(machine, isFull);
};

const layout: ListLayout<Row> = {
  cells: {
    desc: ({ unit }) => describeUnit(storedFile(unit)) ?? '-',
    dstate: ({ unit }) => unit.desiredState,
    global: ({ isGlobal }) => String(isGlobal),
    hash: ({ unit }, isFull) => shortHashCell(hashUnitFile(storedFile(unit)), isFull),
    owner: ({ unit, rivals }) => [unit.owner ?? '-', ...rivals.map((name) => `(also in ${name})`)].join(' '),
    reason: ({ unit }) => unit.reason ?? '-',
    since: ({ unit }) => formatTime(unit.waitingSince),
    state: ({ unit, isGlobal }) => (isGlobal ? '-' : unit.currentState),
    target,
    tmachine: target,
    unit: ({ unit }) => unit.name,
  },
  defaultFields: 'unit,hash,dstate,state,target',
  wideFields: 'unit,hash,dstate,state,target,global,owner,desc,since,reason',
  keyFields: ['unit'],
  tones: {
    owner: ({ rivals }) => (rivals.length > 0 ? 'waiting' : undefined),
    reason: () => 'waiting',
    state: ({ unit }) => {
      if (unit.reason !== undefined) return 'waiting';
      return unit.currentState === 'launched' ? 'good' : undefined;
    },
  },
  sayProblem: (message) => `Error retrieving list of units from repository: ${message}`,
  nameOf: ({ unit }) => unit.name,
  entityOf: ({ unit: { file: _, ...unit } }) => unit,
};

export const listUnitFiles: FleetctlCommand = {
  configure(command) {
    addUnitFilter(addListFlags(command, layout))
      .option('--owner <name>', 'only what belongs to this directory')
      .description(
        'Shows the registered units: what was asked of each (dstate), how far it is (state), and where it belongs (target). A ' +
          'unit that waits for a machine says why (reason) and since when (since). A unit of a watched directory says of which one ' +
          '(owner), and of others that have a file of it, too. Names and patterns choose units.',
      )
      .addHelpText(
        'after',
        examples(
          'fleetctl list-unit-files',
          "fleetctl list-unit-files 'web@*' -o wide",
          'fleetctl list-unit-files --fields unit,desc',
          'fleetctl list-unit-files --fields unit,dstate,target,reason    what waits, and why',
          'fleetctl list-unit-files --owner local -o name',
        ),
      );
  },
  run(context, command) {
    const flags = command.opts<FileListFlags>();
    const listing = chooseListing(flags, layout);
    if (flags.owner !== undefined) parseOwnerName(flags.owner);
    const filter = chooseUnitFilter(command.args, flags);
    if (listing.fields.includes('tmachine'))
      context.screen.err('WARNING: The "tmachine" field is deprecated. Use "target" instead');
    return showList(context, listing, async () => {
      const { client } = context;
      const showsOwners = listing.form === 'table' && listing.fields.includes('owner');
      const [units, machines, rivals] = await Promise.all([
        readUnits(context, filter),
        client.listMachines(),
        showsOwners ? readRivals(client) : new Map(),
      ]);
      const machineById = new Map(machines.map((machine) => [machine.id, machine]));
      const isOwned = ({ owner }: UnitEntity) => flags.owner === undefined || owner === flags.owner;
      const items = units
        .filter((unit) => filter.isWanted(unit) && isOwned(unit))
        .map((unit) => {
          const id = unit.machineID;
          const machine = id ? (machineById.get(id) ?? { id }) : undefined;
          return { unit, isGlobal: isGlobalUnit(unit), machine, rivals: rivals.get(unit.name) ?? [] };
        });
      const known = new Set(units.map(({ name }) => name));
      const unknown = (filter.names ?? []).filter((name) => !known.has(name));
      return { items, notes: unknown.map((name) => ({ tone: 'waiting', text: `Unit ${name} does not exist.` })) };
    });
  },
};

async function readUnits({ client, reader }: Context, { names }: UnitFilter): Promise<UnitEntity[]> {
  if (names === undefined) return client.listUnits();
  const units = await reader.units(names);
  return names.flatMap((name) => units.get(name) ?? []);
}
