import type { MachineEntity, UnitStateEntity } from '@flotilla/schema';
import { examples, type FleetctlCommand } from '../command.js';
import type { Context } from '../context.js';
import { addListFlags, chooseListing, type ListFlags, type ListLayout } from '../list-output.js';
import { machineLabel } from '../machine-label.js';
import { type Note, showList } from '../show-list.js';
import { formatTime } from '../since.js';
import type { Palette } from '../terminal.js';
import { shortHashCell } from '../unit-cells.js';
import { addUnitFilter, chooseUnitFilter, type UnitFilter, type UnitFilterFlags } from '../unit-filter.js';

interface Row {
  readonly state: UnitStateEntity;
  readonly machine: Pick<MachineEntity, 'id' | 'primaryIP'> | undefined;
}

interface ListUnitsFlags extends ListFlags, UnitFilterFlags {
  readonly state?: string;
}

const activeTone = ({ state }: Row): keyof Palette | undefined => {
  if (state.systemdActiveState === 'failed') return 'bad';
  if (state.systemdActiveState === 'active') return 'good';
  return state.systemdActiveState === 'inactive' ? undefined : 'waiting';
};

const layout: ListLayout<Row> = {
  cells: {
    active: ({ state }) => state.systemdActiveState,
    error: ({ state }) => state.error ?? '-',
    hash: ({ state }, isFull) => shortHashCell(state.hash, isFull),
    load: ({ state }) => state.systemdLoadState,
    machine: ({ machine }, isFull) => (machine === undefined ? '-' : machineLabel(machine, isFull)),
    since: ({ state }) => formatTime(state.since),
    sub: ({ state }) => state.systemdSubState,
    unit: ({ state }) => state.name,
    waits: ({ state }) => state.waitsFor ?? '-',
  },
  defaultFields: 'unit,machine,active,sub',
  wideFields: 'unit,machine,load,active,sub,hash,since,waits,error',
  keyFields: ['unit', 'machine'],
  tones: {
    active: activeTone,
    error: () => 'bad',
    load: ({ state }) => (state.systemdLoadState === 'loaded' ? undefined : 'bad'),
    sub: activeTone,
  },
  sayProblem: (message) => `Error retrieving list of units from repository: ${message}`,
  nameOf: ({ state }) => state.name,
  entityOf: ({ state }) => state,
};

export const listUnits: FleetctlCommand = {
  configure(command) {
    addUnitFilter(addListFlags(command, layout))
      .option('--state <words>', 'only what systemd calls so, in any of its words: failed, or active,activating')
      .description(
        'Shows the state of each unit on the machine that it is on, in the words of systemd; a global unit has one line per ' +
          'machine. Units that are on no machine are only in `fleetctl list-unit-files`. Names and patterns choose units.',
      )
      .addHelpText(
        'after',
        examples(
          'fleetctl list-units',
          "fleetctl list-units 'web@*' --state=failed",
          'fleetctl list-units --watch                                   as it changes',
          'fleetctl list-units --fields unit,hash,load --full',
          'fleetctl list-units --no-legend --fields unit,active | grep failed',
        ),
      );
  },
  run(context, command) {
    const flags = command.opts<ListUnitsFlags>();
    const listing = chooseListing(flags, layout);
    const filter = chooseUnitFilter(command.args, flags);
    const words = flags.state?.split(',');
    return showList(context, listing, async () => {
      const [states, machines] = await Promise.all([readStates(context, filter), context.client.listMachines()]);
      const machineById = new Map(machines.map((machine) => [machine.id, machine]));
      const items = states
        .filter((state) => filter.isWanted(state) && (words === undefined || isCalled(state, words)))
        .map((state) => {
          const id = state.machineID;
          return { state, machine: id ? (machineById.get(id) ?? { id }) : undefined };
        });
      return { items, notes: (filter.names ?? []).filter((name) => !isAmong(states, name)).map(noteAbsent) };
    });
  },
};

function isAmong(states: readonly UnitStateEntity[], unit: string): boolean {
  return states.some(({ name }) => name === unit);
}

function noteAbsent(name: string): Note {
  return { tone: 'waiting', text: `Unit ${name} is on no machine; fleetctl status ${name} says why` };
}

async function readStates({ client, reader }: Context, { names, machineID }: UnitFilter): Promise<UnitStateEntity[]> {
  if (names === undefined) return client.listStates(machineID === undefined ? {} : { machineID });
  const states = await reader.states(names);
  return names.flatMap((name) => states.get(name) ?? []);
}

function isCalled(state: UnitStateEntity, words: readonly string[]): boolean {
  const { systemdActiveState, systemdLoadState, systemdSubState } = state;
  return [systemdActiveState, systemdLoadState, systemdSubState].some((word) => words.includes(word));
}
