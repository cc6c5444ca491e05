import { isTransient, type OperationOutcome } from '@flotilla/client';
import type { BatchOperationEntity, UnitStateEntity } from '@flotilla/schema';
import type { ApplyAction, ApplyStep } from './apply-plan.js';
import type { PlanRequest } from './apply-request.js';
import { keptText } from './apply-text.js';
import type { Context } from './context.js';
import { isAboutOneUnit, messageOf } from './errors.js';
import { Follow } from './follow.js';
import { isOneshotFile, toOptionEntities } from './unit-content.js';
import { textOf } from './unit-diff.js';
import type { UnitEnd } from './wait.js';

/** What `apply` is asked to do. */
export interface ApplyRequest extends PlanRequest {
  /** As in {@link Follow}. */
  readonly limitMs: number | undefined;
}

/** What came of one unit: as a wait says it; `asked`: nobody waited; `refused`: the API did not take it, or was not asked to. */
export interface StepEnd extends Omit<UnitEnd, 'outcome'> {
  readonly outcome: UnitEnd['outcome'] | 'asked' | 'refused';
}

/** What has become of a plan. */
export interface DoneApply {
  /** With what the server says that it has done; in the order of the plan. */
  readonly steps: readonly ApplyStep[];
  /** By name, for those that something was to be done about. */
  readonly ends: ReadonlyMap<string, StepEnd>;
}

/** One run of the command, from a plan that nothing stands in the way of. */
export class ApplyRun {
  readonly #context: Context;
  readonly #request: ApplyRequest;
  readonly #follow: Follow;
  readonly #ends = new Map<string, StepEnd>();
  readonly #steps: ApplyStep[] = [];

  constructor(context: Context, request: ApplyRequest) {
    this.#context = context;
    this.#request = request;
    const ended = (name: string, end: StepEnd) => void this.#ends.set(name, end);
    this.#follow = new Follow(context, { verb: 'apply', limitMs: request.limitMs, ended });
  }

  /** Asks for everything and waits for it. What is to go is left there unless all else was taken: it may be needed yet. */
  async carryOut(steps: readonly ApplyStep[]): Promise<number> {
    const isPut = ({ file }: ApplyStep) => file !== undefined;
    const [puts, drops] = [steps.filter(isPut), steps.filter((step) => !isPut(step))];
    const before = await this.#statesBefore(puts);
    const isTaken = await this.#ask(puts, (step) => this.#settlePut(step, before.get(step.name) ?? []));
    if (isTaken) await this.#ask(drops, (step) => this.#settleDrop(step));
    else for (const step of drops) this.#leave(step);
    return this.#follow.finish(steps);
  }

  get done(): DoneApply {
    return { steps: this.#steps, ends: this.#ends };
  }

  /** An old failure of a copy that stays is not the answer to a new start. */
  async #statesBefore(steps: readonly ApplyStep[]): Promise<ReadonlyMap<string, readonly UnitStateEntity[]>> {
    const names = steps.filter(({ isCommentOnly }) => isCommentOnly === true).map(({ name }) => name);
    return names.length === 0 ? new Map() : this.#context.reader.states(names);
  }

  /** @returns Whether nothing was refused. */
  async #ask(steps: readonly ApplyStep[], settle: (step: ApplyStep) => void): Promise<boolean> {
    const { owner } = this.#request;
    // Of a unit that belongs to an owner the server also notes that it is still wanted.
    const sent = steps.filter(({ action }) => owner !== undefined || action !== 'unchanged');
    const operations = sent.map((step) => this.#operation(step));
    const outcomes = await this.#context.client
      .batch(operations, owner === undefined ? {} : { owner })
      .catch((error: unknown) => this.#breakOff(error));
    this.#follow.asked(sent.filter(({ action }) => action !== 'unchanged').length);
    let isTaken = true;
    for (const planned of steps) {
      const outcome = outcomes.get(planned.name);
      const step = { ...planned, action: actionOf(planned, outcome) };
      this.#steps.push(step);
      if (outcome?.kind !== 'refused') settle(step);
      else {
        isTaken = false;
        this.#fail(step, outcome.error);
      }
    }
    return isTaken;
  }

  /** A batch is several requests: some may have been taken. */
  #breakOff(error: unknown): never {
    if (isTransient(error))
      this.#context.screen.err('Some of it may be done: the same line again does the rest, fleetctl diff shows it.');
    throw error;
  }

  #operation({ name, file }: ApplyStep): BatchOperationEntity {
    if (file === undefined) return { op: 'delete', name };
    const { bytes, unitFile, isTemplate } = file;
    const { allowUnknown } = this.#request;
    const unit = {
      name,
      desiredState: isTemplate ? 'inactive' : 'launched',
      file: textOf(bytes),
      options: toOptionEntities(unitFile),
      ...(allowUnknown && { allowUnknown }),
    } as const;
    return { op: 'put', unit };
  }

  #settlePut({ name, action, file }: ApplyStep, before: readonly UnitStateEntity[]): void {
    if (file === undefined || action === 'unchanged') return;
    const { hash, unitFile, isGlobal, isTemplate } = file;
    if (isTemplate) {
      this.#context.screen.out(`Template ${name} ${action}`);
      this.#ends.set(name, { outcome: 'done' });
      return;
    }
    this.#ends.set(name, { outcome: 'asked' });
    const expectation = { name, goal: 'launched', hash, isOneshot: isOneshotFile(unitFile), before } as const;
    this.#follow.add(expectation, { isGlobal });
  }

  #settleDrop(step: ApplyStep): void {
    const { name, action } = step;
    if (action === 'kept') this.#context.screen.out(`Kept ${name}: ${keptText(step)}`);
    else if (this.#request.limitMs === undefined) this.#context.screen.out(`Destroyed ${name}`);
    else this.#follow.add({ name, goal: 'gone' }, { isGlobal: false });
    this.#ends.set(name, { outcome: action === 'kept' ? 'done' : 'asked' });
  }

  #fail({ name }: ApplyStep, error: unknown): void {
    if (!isAboutOneUnit(error)) this.#breakOff(error);
    const why = messageOf(error);
    this.#follow.fail(`Error applying units: ${why.includes(name) ? why : `${name}: ${why}`}`);
    this.#ends.set(name, { outcome: 'refused', why });
  }

  #leave(step: ApplyStep): void {
    const why = 'not everything else was taken';
    this.#steps.push(step);
    this.#follow.fail(`Unit ${step.name} is left alone: ${why}`);
    this.#ends.set(step.name, { outcome: 'refused', why });
  }
}

/** What the server says that it has done, if it says so: others may have been quicker. */
function actionOf({ action }: ApplyStep, outcome: OperationOutcome | undefined): ApplyAction {
  if (outcome === undefined || outcome.kind === 'refused' || outcome.effect === undefined) return action;
  switch (outcome.effect) {
    case 'created':
    case 'destroyed':
    case 'kept':
      return outcome.effect;
    case 'replaced':
    case 'updated':
      return 'changed';
    case 'unchanged':
    case 'behind':
      return 'unchanged';
  }
}
