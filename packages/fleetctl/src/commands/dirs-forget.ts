import { ApiError } from '@flotilla/client';
import type { DirectoryHostEntity, ForgottenDirectoryEntity } from '@flotilla/schema';
import { examples, type FleetctlCommand } from '../command.js';
import type { Context } from '../context.js';
import { nameSome } from '../directory-notes.js';
import { applyClaimant, hostLabel } from '../directory-rows.js';
import { messageOf, UsageError } from '../errors.js';
import { exitCodes } from '../exit-codes.js';
import { countUnits } from '../losses.js';
import { findMachines } from '../machine-label.js';
import { addJsonFlag } from '../settings-change.js';

interface ForgetFlags {
  readonly dryRun?: true;
  readonly output?: 'json';
}

export const dirsForget: FleetctlCommand = {
  configure(command) {
    addJsonFlag(command)
      .option('--dry-run', 'only print what it would do')
      .description(
        'What a host had in its directories stays when the host is lost or has left: its files may come back with it. Forget a host that ' +
          'does not come back: units that no other host has are destroyed, the others stay. `fleetctl dirs` shows which hosts ' +
          'are lost.\n' +
          'Exit code: 0 done, 1 the machine has no directory, or is in the cluster.',
      )
      .addHelpText(
        'after',
        examples(
          'fleetctl dirs forget b1d7 --dry-run    see what would be destroyed',
          'fleetctl dirs forget b1d7              by the beginning of its ID',
        ),
      );
  },
  async run(context, command) {
    const { screen, client } = context;
    const { dryRun, output } = command.opts<ForgetFlags>();
    const [text, ...more] = command.args;
    if (text === undefined || more.length > 0)
      throw new UsageError('Name one machine', '`fleetctl dirs` shows which are lost.');
    const host = await chooseHost(context, text);
    if (host === undefined) return exitCodes.failed;
    try {
      const { directories } = await client.forgetDirectories(host.claimant, { dryRun: dryRun === true });
      if (output === 'json') screen.write(`${JSON.stringify({ directories }, null, 2)}\n`);
      else for (const each of directories) for (const line of describe(each, host, dryRun === true)) screen.out(line);
      return exitCodes.done;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      screen.err(screen.palette.bad(`Machine ${hostLabel(host)} was not forgotten: ${messageOf(error)}`));
      if (error.status === 409) screen.err(stillThere);
      return exitCodes.failed;
    }
  },
};

const stillThere = 'Remove the files there, or take the directory out of unit_dirs in its fleet.conf.';

/** The host that is meant; `undefined`, and an error is printed, if it is not clear which, or it is in the cluster. */
async function chooseHost({ client, screen }: Context, text: string): Promise<DirectoryHostEntity | undefined> {
  const hosts = (await client.listDirectories()).flatMap((directory) => directory.hosts);
  const known = new Map(
    hosts.filter(({ claimant }) => claimant !== applyClaimant).map((host) => [host.claimant, host]),
  );
  const found = findMachines(
    [...known.values()].map((host) => ({ ...host, id: host.claimant })),
    text,
  );
  const [host] = found;
  const fail = (problem: string) => screen.err(screen.palette.bad(`Error: ${problem}`));
  if (host === undefined) fail(`no machine with a directory has an ID that begins with ${text}`);
  else if (found.length > 1) fail(`${found.length} machines with a directory have an ID that begins with ${text}`);
  else if (host.isLost !== true) {
    fail(`machine ${host.claimant} is in the cluster`);
    screen.err(stillThere);
  } else return host;
  return undefined;
}

function describe(
  { name, destroyed, kept }: ForgottenDirectoryEntity,
  host: DirectoryHostEntity,
  isDryRun: boolean,
): string[] {
  const verb = isDryRun ? 'would be' : 'is';
  const units = isDryRun ? 'would be destroyed' : 'destroyed';
  return [
    `Machine ${hostLabel(host, true)} ${verb} forgotten in ${name}: ${countUnits(destroyed.length)} ${units}, ${kept} kept, as other hosts have them`,
    ...(destroyed.length === 0 ? [] : [`  ${units}: ${isDryRun ? destroyed.join(' ') : nameSome(destroyed)}`]),
  ];
}
