import { type Client, mapInFlight } from '@flotilla/client';
import type { DirectoryDetailEntity, DirectoryEntity } from '@flotilla/schema';
import { unknownDirectory } from '../chosen-directories.js';
import { examples, type FleetctlCommand } from '../command.js';
import type { Context } from '../context.js';
import { describeConcerns } from '../directory-notes.js';
import {
  concernsOf,
  type DirectoryRow,
  directoryLayout,
  directoryRows,
  foldIdle,
  type ShownDirectory,
} from '../directory-rows.js';
import { directoryUnitLines } from '../directory-units.js';
import { exitCodes } from '../exit-codes.js';
import { addListFlags, chooseListing, type ListFlags, type Listing } from '../list-output.js';
import { type List, type Note, showList } from '../show-list.js';

interface DirsFlags extends ListFlags {
  readonly check?: true;
}

/** Columns that need more than what the hosts say of themselves. */
const columnsOfUnits: readonly string[] = ['behind', 'state'];

export const dirs: FleetctlCommand = {
  configure(command) {
    addListFlags(command, directoryLayout)
      .option('--check', 'exit with 2 if something is not as it should be')
      .description(
        'Shows the watched directories of unit files, a row for each host that has one, and `fleetctl apply` as a host of its ' +
          'own; on stderr, below, errors with file and line, units that belong to others, what is held back and why, and hosts ' +
          'that are gone. With names, also the units of these directories.\n' +
          'state is ok, or lost (the host), missing (the directory there), and how many removals are held, errors, conflicts, ' +
          'and units behind: of these the host has a file that is not what the cluster runs.\n' +
          'Exit code: 0 shown, 1 there is no such directory, 2 with --check.',
      )
      .addHelpText(
        'after',
        examples(
          'fleetctl dirs',
          'fleetctl dirs local            its units, too',
          'fleetctl dirs --check          for a script that watches over it',
          'fleetctl dirs confirm local    what is gone from it was meant to go',
          'fleetctl dirs forget b1d7      a host that does not come back',
        ),
      );
  },
  async run(context, command) {
    const { client, screen } = context;
    const flags = command.opts<DirsFlags>();
    const listing = chooseListing(flags, directoryLayout);
    const names = new Set(command.args);
    const needsUnits = names.size > 0 || flags.check === true || showsUnits(listing);
    let absent: readonly string[] | undefined;
    let hasConcerns = false;
    const exitCode = await showList(context, listing, async () => {
      const all = await client.listDirectories();
      if (absent === undefined) {
        const known = all.map(({ name }) => name);
        absent = [...names].filter((name) => !known.includes(name));
        for (const name of absent) screen.err(screen.palette.bad(`Error: ${unknownDirectory(name, known, commands)}`));
      }
      const chosen = names.size === 0 ? all : all.filter(({ name }) => names.has(name));
      const directories = needsUnits ? await withUnits(client, chosen) : chosen;
      const list = listOf(context, listing, directories);
      hasConcerns = list.items.some((row) => concernsOf(row).length > 0);
      const details = names.size === 0 ? [] : directoryUnitLines(directories, listing);
      return { ...list, details, ...(all.length === 0 && { notes: howToBegin }) };
    });
    if (absent === undefined || absent.length > 0) return exitCodes.failed;
    return flags.check === true && hasConcerns ? exitCodes.pending : exitCode;
  },
};

/** What may be meant by a name that no directory has. */
const commands: readonly string[] = ['confirm', 'forget'];

const howToBegin: readonly Note[] = [
  'No host watches a directory. To begin, on a host: mkdir -p /etc/fleet/units,',
  'unit_dirs = local:/etc/fleet/units in /etc/fleet/fleet.conf, systemctl reload fleet. Then put unit files there.',
].map((text) => ({ tone: 'waiting', text }));

function showsUnits({ form, fields }: Listing<DirectoryRow>): boolean {
  return form === 'table' && columnsOfUnits.some((field) => fields.includes(field));
}

/** The same with their units; one that has gone meanwhile is left out. */
async function withUnits(client: Client, directories: readonly DirectoryEntity[]): Promise<DirectoryDetailEntity[]> {
  const found = await mapInFlight(directories, ({ name }) => client.findDirectory(name));
  return found.filter((directory) => directory !== undefined);
}

function listOf(
  { clock, screen }: Context,
  { form, isFull, watchMs }: Listing<DirectoryRow>,
  directories: readonly ShownDirectory[],
): List<DirectoryRow> {
  const nowMs = clock.now();
  // Where each row that has changed is printed anew, an age would be a change.
  const isStream = watchMs !== undefined && !(screen.terminal.isOutTerminal && form === 'table');
  const rows = directoryRows(directories, isStream ? undefined : nowMs);
  const list = { items: rows, document: { directories }, notes: describeConcerns(rows, nowMs) };
  if (isFull || form !== 'table') return list;
  const { rows: items, folded } = foldIdle(rows);
  const notes = [...folded].map(([name, count]): Note => ({ tone: 'good', text: sayFolded(name, count) }));
  return { ...list, items, notes: [...notes, ...list.notes] };
}

function sayFolded(name: string, count: number): string {
  return `${count} more hosts have the directory ${name} and no file in it; --full shows them`;
}
