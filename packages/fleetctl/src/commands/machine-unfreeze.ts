import { ApiError, type Client, isTransient } from '@flotilla/client';
import { sleep } from '@flotilla/runtime';
import type { UnfreezeAnswer, UnfreezeWord } from '@flotilla/schema';
import { Option } from 'commander';
import { examples, type FleetctlCommand } from '../command.js';
import type { Context } from '../context.js';
import { formatDuration } from '../duration.js';
import { messageOf, UsageError } from '../errors.js';
import { exitCodes, type Outcome, worstOutcome } from '../exit-codes.js';
import { type FrozenMachine, selectFrozen } from '../frozen-machines.js';
import { machineLabel } from '../machine-label.js';
import { describeEffects } from '../unfreeze-effects.js';
import { addWaitFlags, type WaitFlags, waitLimitMs } from '../wait-flags.js';

interface UnfreezeFlags extends WaitFlags {
  readonly adopt?: true;
  readonly discard?: true;
  readonly all?: true;
  readonly dryRun?: true;
  readonly output?: 'json';
}

/** Between two looks at whether machines are frozen still. Taste: unfreezing takes some hundred milliseconds. */
const pauseMs = 100;

/** A machine that froze a moment ago has yet to look at what it has. */
const planPatienceMs = 5_000;

export const machineUnfreeze: FleetctlCommand = {
  configure(command) {
    addWaitFlags(
      command
        .option('--adopt', 'write the units that run there back into the store, where it lacks them')
        .option('--discard', "take the store's word: what it lacks is stopped")
        .option('--all', 'all machines that are frozen')
        .option('--dry-run', 'only print what it would do')
        .addOption(new Option('-o, --output <form>', 'print what it does as JSON').choices(['json'])),
    )
      .description(
        'A machine whose store was emptied, replaced, or restored from an older backup is frozen: it starts and stops nothing, ' +
          'and waits for your word. `fleetctl list-machines` shows which are, and why.\n' +
          '--adopt is the word after a loss: what runs there goes on, untouched, and the store has it again. --discard is the word ' +
          'when the store is right: units that it does not know, or has elsewhere, are stopped. Of a unit that the store does ' +
          'know, its word counts either way. What becomes of each unit is printed first.\n' +
          'Exit code: 0 done, 1 a machine is unknown, not frozen or not told, 2 one is still frozen when the wait is over.',
      )
      .addHelpText(
        'after',
        examples(
          'fleetctl machine unfreeze --all --adopt --dry-run    see what would happen',
          'fleetctl machine unfreeze --all --adopt              rebuild a lost store from what runs',
          'fleetctl machine unfreeze b1d7 --discard             one machine, by the beginning of its ID',
        ),
      );
  },
  async run(context, command) {
    const flags = command.opts<UnfreezeFlags>();
    const how = parseWord(flags);
    const limitMs = waitLimitMs(flags);
    if (command.args.length > 0 === (flags.all === true))
      throw new UsageError(
        'Name machines, or say --all: one of the two',
        'The IDs of frozen machines are in `fleetctl list-machines`.',
      );
    const { client, screen } = context;
    const selection = selectFrozen(await client.listMachines(), command.args);
    if (selection.kind === 'refused') {
      for (const problem of selection.problems) screen.err(screen.palette.bad(`Error: ${problem}`));
      return exitCodes.failed;
    }
    const { machines } = selection;
    if (machines.length === 0) screen.err('No machine is frozen.');
    const plans = await readPlans(context, machines, { how, limitMs });
    if (flags.output === 'json') screen.write(`${JSON.stringify([...plans.values()], null, 2)}\n`);
    else for (const [machine, plan] of plans) screen.out(describeEffects(plan, machine));
    const outcome = plans.size < machines.length ? 'failed' : 'done';
    return exitCodes[
      flags.dryRun === true
        ? outcome
        : worstOutcome([outcome, await unfreezeAll(context, [...plans.keys()], { how, limitMs })])
    ];
  },
};

function parseWord({ adopt, discard }: UnfreezeFlags): UnfreezeWord {
  if (adopt === discard)
    throw new UsageError(
      'Say --adopt or --discard, one of them',
      '--adopt gives the store the units that it lacks; --discard stops them. See --help.',
    );
  return adopt === true ? 'adopt' : 'discard';
}

interface Order {
  readonly how: UnfreezeWord;
  /** As in `waitLimitMs`. */
  readonly limitMs: number | undefined;
}

/** Of each machine that can say what it has; one that can't is told of, and keeps no other one frozen. */
async function readPlans(
  context: Context,
  machines: readonly FrozenMachine[],
  { how, limitMs = planPatienceMs }: Order,
): Promise<Map<FrozenMachine, UnfreezeAnswer>> {
  const deadlineMs = context.clock.monotonicMs() + Math.min(planPatienceMs, limitMs);
  const plans = new Map<FrozenMachine, UnfreezeAnswer>();
  for (const machine of machines) {
    try {
      plans.set(machine, await readPlan(context, { id: machine.id, how, deadlineMs }));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      sayNotTold(context, machine, error);
    }
  }
  return plans;
}

async function readPlan({ client, clock }: Context, { id, how, deadlineMs }: PlanRequest): Promise<UnfreezeAnswer> {
  for (;;) {
    try {
      return await client.planUnfreeze(id, { how });
    } catch (error) {
      if (!isTransient(error) || clock.monotonicMs() >= deadlineMs) throw error;
      await sleep(clock, pauseMs);
    }
  }
}

interface PlanRequest {
  readonly id: string;
  readonly how: UnfreezeWord;
  readonly deadlineMs: number;
}

function sayNotTold({ screen }: Context, machine: FrozenMachine, error: unknown): void {
  screen.err(screen.palette.bad(`Machine ${machineLabel(machine)} was not told: ${messageOf(error)}`));
}

async function unfreezeAll(
  context: Context,
  machines: readonly FrozenMachine[],
  { how, limitMs }: Order,
): Promise<Outcome> {
  const told: FrozenMachine[] = [];
  for (const machine of machines) {
    try {
      await context.client.unfreeze(machine.id, { how });
      told.push(machine);
    } catch (error) {
      sayNotTold(context, machine, error);
    }
  }
  const outcome = told.length < machines.length ? 'failed' : 'done';
  if (limitMs === undefined || told.length === 0) return outcome;
  return worstOutcome([outcome, await waitUntilUnfrozen(context, told, limitMs)]);
}

async function waitUntilUnfrozen(
  { client, screen, clock }: Context,
  told: readonly FrozenMachine[],
  limitMs: number,
): Promise<Outcome> {
  const deadlineMs = clock.monotonicMs() + limitMs;
  const pending = new Map(told.map((machine) => [machine.id, machine]));
  for (;;) {
    const isLast = clock.monotonicMs() >= deadlineMs;
    for (const machine of await findFrozenNoMore(client, [...pending.values()])) {
      pending.delete(machine.id);
      screen.err(`Machine ${machineLabel(machine)} goes on`);
    }
    if (pending.size === 0) return 'done';
    if (isLast) break;
    screen.progress(`waiting for ${pending.size} of ${told.length} machines`);
    await sleep(clock, pauseMs);
  }
  for (const machine of pending.values())
    screen.err(
      screen.palette.waiting(
        `Machine ${machineLabel(machine)} is still frozen after ${formatDuration(limitMs)}; its fleetd's log tells why`,
      ),
    );
  return 'pending';
}

/** A machine that is not in the list has lost its lease; it is waited for. */
async function findFrozenNoMore(client: Client, machines: readonly FrozenMachine[]): Promise<FrozenMachine[]> {
  try {
    const frozen = new Map((await client.listMachines()).map((machine) => [machine.id, machine.frozen]));
    return machines.filter(({ id }) => frozen.has(id) && frozen.get(id) === undefined);
  } catch (error) {
    if (!isTransient(error)) throw error;
    return [];
  }
}
