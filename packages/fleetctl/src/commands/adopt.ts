import { ApiError, mapInFlight } from '@flotilla/client';
import { parseOwnerName } from '@flotilla/unit';
import { examples, type FleetctlCommand } from '../command.js';
import type { Context } from '../context.js';
import { messageOf } from '../errors.js';
import { exitCodes } from '../exit-codes.js';
import { type ChosenUnit, selectUnits } from '../selection.js';
import { parseUnitArguments } from '../unit-arguments.js';

interface AdoptFlags {
  readonly owner?: string;
}

export const adopt: FleetctlCommand = {
  configure(command) {
    command
      .option('--owner <name>', 'the directory that they are to belong to from now on')
      .description(
        'Takes units from the directory that they belong to: content and existence are yours then, by fleetctl or the API. Its file ' +
          'there counts for nothing once it changes. With --owner, gives units to a directory: a file of that name counts at once ' +
          'if it differs, and without one the unit stays as it is. No unit is stopped or restarted by it.\n' +
          'Exit code: 0 done, 1 a unit does not exist or was not adopted.',
      )
      .addHelpText(
        'after',
        examples(
          'fleetctl adopt web.service                   from now on it is destroyed by hand',
          "fleetctl adopt --owner local 'web@*'         files in the directory local decide",
          'fleetctl list-unit-files --fields unit,owner',
        ),
      );
  },
  async run(context, command) {
    const { client, screen } = context;
    const { owner } = command.opts<AdoptFlags>();
    if (owner !== undefined) parseOwnerName(owner);
    const selection = await selectUnits(client, parseUnitArguments(command.args), { withTemplates: true });
    for (const pattern of selection.unmatched)
      screen.err(screen.palette.bad(`no unit in the registry matches ${pattern}`));
    if (owner !== undefined) await warnOfNewOwner(context, owner);
    const lines = await mapInFlight(selection.units, (unit) => adoptOne(context, unit, owner));
    for (const { isDone, line } of lines) {
      if (isDone) screen.out(line);
      else screen.err(screen.palette.bad(line));
    }
    const isDone = selection.unmatched.length === 0 && lines.every((each) => each.isDone);
    return isDone ? exitCodes.done : exitCodes.failed;
  },
};

/** It may be a slip of the finger, and it may be the first step. */
async function warnOfNewOwner({ client, screen }: Context, owner: string): Promise<void> {
  const known = (await client.listDirectories()).map(({ name }) => name);
  if (!known.includes(owner)) screen.err(screen.palette.waiting(`Warning: no host has a directory ${owner} so far.`));
}

interface Adoption {
  readonly isDone: boolean;
  readonly line: string;
}

async function adoptOne({ client }: Context, { name }: ChosenUnit, owner: string | undefined): Promise<Adoption> {
  try {
    const { former } = await client.adoptUnit(name, owner === undefined ? {} : { owner });
    return { isDone: true, line: `Unit ${name} ${describe(former, owner)}` };
  } catch (error) {
    if (!(error instanceof ApiError) || error.status >= 500) throw error;
    if (error.status === 404 && (await client.findUnit(name)) === undefined)
      return { isDone: false, line: `Unit ${name} does not exist.` };
    return { isDone: false, line: `Error adopting unit ${name}: ${messageOf(error)}` };
  }
}

function describe(former: string | undefined, owner: string | undefined): string {
  const before = former === undefined ? '' : `, no longer to ${former}`;
  if (former === owner) return owner === undefined ? 'belonged to no directory' : `belonged to ${owner} already`;
  return owner === undefined ? `belongs to no directory now${before}` : `belongs to ${owner} now${before}`;
}
