import type { Client, MachineSurvey } from '@flotilla/client';
import type { MachineEntity, MachinePage } from '@flotilla/schema';
import { examples, type FleetctlCommand } from '../command.js';
import { addListFlags, chooseListing, type ListFlags, type ListLayout } from '../list-output.js';
import { describeLosses } from '../losses.js';
import { findMachines, machineIdLabel } from '../machine-label.js';
import { formatMetadata } from '../metadata-cell.js';
import { type Note, showList } from '../show-list.js';

interface Row {
  readonly machine: MachineEntity;
  /** How many units systemd has there; `undefined` if that was not read. */
  readonly units: number | undefined;
}

const layout: ListLayout<Row> = {
  cells: {
    machine: ({ machine }, isFull) => machineIdLabel(machine.id, isFull),
    ip: ({ machine }) => machine.primaryIP ?? '-',
    metadata: ({ machine }) => formatMetadata(machine.metadata ?? {}),
    limit: ({ machine }) => String(machine.maxUnits ?? '-'),
    state: ({ machine }) => (machine.frozen === undefined ? 'ok' : 'frozen'),
    units: ({ units }) => String(units ?? '-'),
    version: ({ machine }) => machine.version ?? '-',
  },
  defaultFields: 'machine,ip,metadata',
  wideFields: 'machine,ip,metadata,version,units,limit,state',
  keyFields: ['machine'],
  tones: { state: ({ machine }) => (machine.frozen === undefined ? 'good' : 'waiting') },
  sayProblem: (message) => `Error retrieving list of active machines from fleet API (${message})`,
  nameOf: ({ machine }) => machine.id,
  entityOf: ({ machine }) => machine,
};

export const listMachines: FleetctlCommand = {
  configure(command) {
    addListFlags(command, layout)
      .description(
        'Shows the machines of the cluster with their addresses and metadata; on stderr, below, which are frozen and why, ' +
          'which are gone and still keep their units, and what in etcd wants care. IDs, or beginnings of them, choose machines.',
      )
      .addHelpText(
        'after',
        examples(
          'fleetctl list-machines',
          'fleetctl list-machines -o wide',
          'fleetctl list-machines --full --fields machine,ip',
        ),
      );
  },
  run(context, command) {
    const listing = chooseListing(command.opts<ListFlags>(), layout);
    const ids = command.args;
    return showList(context, listing, async () => {
      const needsUnits = listing.form === 'table' && listing.fields.includes('units');
      const [survey, units] = await Promise.all([
        context.client.surveyMachines(),
        needsUnits ? countUnits(context.client) : undefined,
      ]);
      const chosen = new Set(ids.flatMap((id) => findMachines(survey.machines, id)));
      const machines = ids.length === 0 ? survey.machines : survey.machines.filter((each) => chosen.has(each));
      const unknown = ids.filter((id) => findMachines(survey.machines, id).length === 0);
      const items = machines.map((machine) => ({ machine, units: units && (units.get(machine.id) ?? 0) }));
      return {
        items,
        document: toDocument({ ...survey, machines }),
        notes: [...unknown.map(noteUnknown), ...notesOf(survey)],
      };
    });
  },
};

function noteUnknown(id: string): Note {
  return { tone: 'waiting', text: `No machine has an ID that begins with ${id}` };
}

async function countUnits(client: Client): Promise<Map<string, number>> {
  const units = new Map<string, number>();
  for await (const page of client.statePages())
    for (const { machineID } of page) units.set(machineID, (units.get(machineID) ?? 0) + 1);
  return units;
}

function toDocument({ machines, alarms, losses }: MachineSurvey): MachinePage {
  return { ...(alarms.length > 0 && { alarms }), ...(losses.length > 0 && { losses }), machines };
}

function notesOf({ machines, alarms, losses }: MachineSurvey): Note[] {
  return [
    ...machines.flatMap(({ id, frozen }): Note[] =>
      frozen === undefined ? [] : [{ tone: 'waiting', text: `Machine ${id} starts and stops nothing: ${frozen}` }],
    ),
    ...describeLosses(losses).map((text): Note => ({ tone: 'waiting', text })),
    ...alarms.map(({ message }): Note => ({ tone: 'bad', text: `Alarm: ${message}` })),
  ];
}
