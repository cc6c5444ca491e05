import { type Client, isTransient } from '@flotilla/client';
import { sleep } from '@flotilla/runtime';
import { unknownDirectory } from '../chosen-directories.js';
import { examples, type FleetctlCommand } from '../command.js';
import type { Context } from '../context.js';
import { describeDrops } from '../directory-drops.js';
import { type HoldingHost, hostLabel, isHolding } from '../directory-rows.js';
import { formatDuration } from '../duration.js';
import { UsageError } from '../errors.js';
import { exitCodes, type Outcome } from '../exit-codes.js';
import { readLabels } from '../machine-label.js';
import { addWaitFlags, type WaitFlags, waitLimitMs } from '../wait-flags.js';

interface ConfirmFlags extends WaitFlags {
  readonly dryRun?: true;
}

/** Between two looks at whether hosts hold back still. Taste: a host needs some hundred milliseconds. */
const pauseMs = 100;

export const dirsConfirm: FleetctlCommand = {
  configure(command) {
    addWaitFlags(command.option('--dry-run', 'only print what it would do'))
      .description(
        'When more than half of the files of a directory are gone at once, or the directory itself, it may be a disk that is not ' +
          'mounted: nothing is destroyed until they are back, or you say that it is meant. `fleetctl dirs` shows what is held back, ' +
          'and why.\n' +
          'What becomes of each unit is printed first: it is destroyed, or kept if another host has its file. The word counts for ' +
          'exactly that: what is gone later is looked at anew.\n' +
          'Exit code: 0 done, 1 there is no such directory, or it holds nothing back, 2 a host still does when the wait is over.',
      )
      .addHelpText(
        'after',
        examples('fleetctl dirs confirm local --dry-run    see what would happen', 'fleetctl dirs confirm local'),
      );
  },
  async run(context, command) {
    const { client, screen } = context;
    const flags = command.opts<ConfirmFlags>();
    const limitMs = waitLimitMs(flags);
    const [name, ...more] = command.args;
    if (name === undefined || more.length > 0)
      throw new UsageError('Name one directory', '`fleetctl dirs` shows which hold something back.');
    const directory = await client.findDirectory(name);
    const fail = (problem: string) => {
      screen.err(screen.palette.bad(`Error: ${problem}`));
      return exitCodes.failed;
    };
    if (directory === undefined) {
      const known = (await client.listDirectories()).map((each) => each.name);
      return fail(unknownDirectory(name, known));
    }
    const holding = directory.hosts.filter(isHolding);
    if (holding.length === 0) return fail(`${name} holds nothing back`);
    const units = new Map((await client.listUnits()).map((unit) => [unit.name, unit]));
    const label = await readLabels(client, false);
    for (const line of describeDrops(directory, holding, { units, label })) screen.out(line);
    if (flags.dryRun === true) return exitCodes.done;
    await client.confirmDirectory(name);
    const told = holding.filter(({ isLost }) => isLost !== true);
    if (limitMs === undefined || told.length === 0) return exitCodes.done;
    return exitCodes[await waitUntilDone(context, { name, told, limitMs })];
  },
};

interface Wait {
  readonly name: string;
  readonly told: readonly HoldingHost[];
  readonly limitMs: number;
}

async function waitUntilDone({ client, screen, clock }: Context, { name, told, limitMs }: Wait): Promise<Outcome> {
  const deadlineMs = clock.monotonicMs() + limitMs;
  const pending = new Map(told.map((host) => [host.claimant, host]));
  for (;;) {
    const isLast = clock.monotonicMs() >= deadlineMs;
    const digests = await findDigests(client, name);
    for (const host of pending.values()) {
      if (digests === undefined || digests.get(host.claimant) === host.held.digest) continue;
      pending.delete(host.claimant);
      screen.err(sayDone(name, host, digests.has(host.claimant)));
    }
    if (pending.size === 0) return 'done';
    if (isLast) break;
    screen.progress(`waiting for ${pending.size} of ${told.length} hosts`);
    await sleep(clock, pauseMs);
  }
  for (const host of pending.values())
    screen.err(
      screen.palette.waiting(
        `${name} on ${hostLabel(host)} still holds back after ${formatDuration(limitMs)}; its fleetd's log tells why`,
      ),
    );
  return 'pending';
}

function sayDone(name: string, host: HoldingHost, holdsMore: boolean): string {
  const rest = holdsMore ? '; it holds back others by now, see `fleetctl dirs`' : '';
  return `${name} on ${hostLabel(host)} goes on${rest}`;
}

/** What hosts hold back, by claimant; `undefined` if that can't be read now. */
async function findDigests(client: Client, name: string): Promise<Map<string, string> | undefined> {
  try {
    const hosts = (await client.listDirectories()).find((directory) => directory.name === name)?.hosts ?? [];
    return new Map(hosts.filter(isHolding).map(({ claimant, held }) => [claimant, held.digest]));
  } catch (error) {
    if (!isTransient(error)) throw error;
    return undefined;
  }
}
