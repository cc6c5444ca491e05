import { mapInFlight } from '@flotilla/client';
import type { Context } from './context.js';
import { isAboutOneUnit, messageOf } from './errors.js';
import { exitCodes, type Outcome } from './exit-codes.js';
import { Follow } from './follow.js';
import { findMachines, MachineDirectory, machineIdLabel } from './machine-label.js';
import { planRestart, type RestartPlan, type RestartStep } from './restart-plan.js';
import { restartInTurn } from './restart-turn.js';
import { selectUnits } from './selection.js';
import { parseUnitArguments } from './unit-arguments.js';
import type { Expectation } from './verdict.js';
import { waitForUnits } from './wait.js';

/** What `restart` is asked to do. */
export interface RestartRequest {
  readonly units: readonly string[];
  /** IDs, or beginnings of them; none: all machines. */
  readonly machines: readonly string[];
  /** How long to wait for each unit; `Infinity`: for ever; `undefined`: not at all. */
  readonly limitMs: number | undefined;
}

/**
 * Restarts units: instances of one template one after the other, a global unit machine after machine, all others at once.
 *
 * @returns The exit code.
 */
export async function restart(context: Context, request: RestartRequest): Promise<number> {
  const { client, reader } = context;
  const { limitMs } = request;
  const follow = new Follow(context, { verb: 'restart', limitMs });
  const machines = await chooseMachines(context, request.machines, follow);
  if (machines === 'unclear') return exitCodes.failed;
  const selection = await selectUnits(client, parseUnitArguments(request.units));
  for (const pattern of selection.unmatched) follow.fail(`no unit in the registry matches ${pattern}`);
  const names = selection.units.map(({ name }) => name);
  const [units, states] = await Promise.all([reader.units(names), reader.states(names)]);
  const plans = selection.units.map((chosen) => {
    const { name } = chosen;
    const isAtOnce = limitMs === undefined;
    return planRestart(chosen, { unit: units.get(name), states: states.get(name) ?? [], machines, isAtOnce });
  });
  await new Restart(context, request, follow).run(plans);
  return follow.finish(selection.units);
}

/** The machines that are named, by ID; `undefined` if none is. */
async function chooseMachines(
  { client }: Context,
  texts: readonly string[],
  follow: Follow,
): Promise<ReadonlySet<string> | undefined | 'unclear'> {
  if (texts.length === 0) return undefined;
  const all = await client.listMachines();
  const chosen = texts.map((text) => ({ text, found: findMachines(all, text) }));
  const unclear = chosen.filter(({ found }) => found.length !== 1);
  for (const { text, found } of unclear) {
    const count = found.length === 0 ? 'no machine has' : `${found.length} machines have`;
    follow.fail(`Error: ${count} an ID that begins with ${text}; fleetctl list-machines shows which there are`);
  }
  return unclear.length > 0 ? 'unclear' : new Set(chosen.flatMap(({ found }) => found.map(({ id }) => id)));
}

/** One run of the command. */
class Restart {
  readonly #context: Context;
  readonly #limitMs: number | undefined;
  readonly #follow: Follow;
  readonly #machines: MachineDirectory;

  constructor(context: Context, { limitMs }: RestartRequest, follow: Follow) {
    this.#context = context;
    this.#machines = new MachineDirectory(context.client);
    this.#limitMs = limitMs;
    this.#follow = follow;
  }

  async run(plans: readonly RestartPlan[]): Promise<void> {
    const turns = new Map<string, RestartStep[]>();
    const atOnce: RestartStep[] = [];
    for (const plan of plans) {
      if (plan.kind === 'refused') this.#follow.fail(plan.why);
      if (plan.kind === 'everywhere') await this.#restartEverywhere(plan);
      if (plan.kind !== 'restart') continue;
      const { turn, steps } = plan;
      if (turn === undefined || this.#limitMs === undefined) atOnce.push(...steps);
      else turns.set(turn, [...(turns.get(turn) ?? []), ...steps]);
    }
    const [context, follow] = [this.#context, this.#follow];
    const inTurn = (steps: readonly RestartStep[]) =>
      restartInTurn(steps, { context, follow, take: (step) => this.#take(step) });
    await Promise.all([this.#restartAtOnce(atOnce), ...[...turns.values()].map(inTurn)]);
  }

  async #restartEverywhere({ name, expectation }: Extract<RestartPlan, { kind: 'everywhere' }>): Promise<void> {
    if ((await this.#order({ name, machineID: undefined })) !== undefined)
      this.#follow.add(expectation, { isGlobal: true });
  }

  async #restartAtOnce(steps: readonly RestartStep[]): Promise<void> {
    const expectations = (await mapInFlight(steps, (step) => this.#begin(step))).filter((each) => each !== undefined);
    const outcomes = await this.#wait(expectations);
    for (const outcome of outcomes.values()) this.#follow.count(outcome);
  }

  async #take(step: RestartStep): Promise<Outcome> {
    const expectation = await this.#begin(step);
    if (expectation === undefined) return 'failed';
    const outcome = (await this.#wait([expectation])).get(step.name) ?? 'failed';
    if (outcome !== 'done') this.#follow.count(outcome);
    return outcome;
  }

  /** What is to become of a step that is ordered; `undefined`: it is not, or nobody waits for it, and that has been said. */
  async #begin(step: RestartStep): Promise<Expectation | undefined> {
    if (step.isStray && !(await this.#stop(step))) return undefined;
    const order = await this.#order(step);
    if (order === undefined) return undefined;
    if (this.#limitMs !== undefined) return { ...step.expectation, order };
    const on = step.expectation.machineID === undefined ? '' : ` on ${machineIdLabel(step.expectation.machineID)}`;
    this.#context.screen.out(`Triggered unit ${step.name} restart${on}`);
    return undefined;
  }

  async #order({ name, machineID }: Pick<RestartStep, 'name' | 'machineID'>): Promise<number | undefined> {
    try {
      const { order } = await this.#context.client.restartUnit(name, machineID === undefined ? {} : { machineID });
      return order;
    } catch (error) {
      if (!isAboutOneUnit(error)) throw error;
      this.#follow.fail(`Error restarting unit ${name}: ${messageOf(error)}`);
      return undefined;
    }
  }

  async #stop({ name }: RestartStep): Promise<boolean> {
    const outcomes = await this.#context.client.batch([{ op: 'put', unit: { name, desiredState: 'loaded' } }]);
    const outcome = outcomes.get(name);
    if (outcome?.kind === 'refused') this.#follow.fail(`Error stopping unit ${name}: ${messageOf(outcome.error)}`);
    if (outcome?.kind === 'refused') return false;
    const waited = this.#limitMs === undefined ? 'done' : (await this.#wait([{ name, goal: 'stopped' }])).get(name);
    if (waited !== 'done') this.#follow.count(waited ?? 'failed');
    return waited === 'done';
  }

  async #wait(expectations: readonly Expectation[]): Promise<Map<string, Outcome>> {
    const limitMs = this.#limitMs ?? 0;
    const outcomes = await waitForUnits(this.#context, {
      expectations,
      changes: expectations.length,
      limitMs,
      machines: this.#machines,
    });
    const pending = expectations.filter(({ name }) => outcomes.get(name) === 'pending');
    if (pending.length > 0) await this.#tellFrozen(pending);
    return outcomes;
  }

  async #tellFrozen(pending: readonly Expectation[]): Promise<void> {
    const { client, screen } = this.#context;
    const ids = new Set(pending.flatMap(({ before = [] }) => before.map(({ machineID }) => machineID)));
    for (const { id, frozen } of await client.listMachines().catch(() => []))
      if (frozen !== undefined && ids.has(id))
        screen.err(`Machine ${machineIdLabel(id)} is frozen, and starts nothing: ${frozen}`);
  }
}
