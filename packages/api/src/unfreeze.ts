import { assertNever } from '@flotilla/errors';
import { orderUnfreeze, readUnfreezeEffects, type UnfreezeEffect, type UnfreezeReason } from '@flotilla/registry';
import { parseUnfreeze, toUnfreezeAnswer, type UnfreezeEffectEntity } from '@flotilla/schema';
import { findWrongType } from './json-type.js';
import { findMachineId } from './machine-id.js';
import type { ApiResponse } from './request.js';
import type { RoutedRequest } from './resource.js';
import { failure, json } from './responses.js';

/**
 * `POST machines/<id>/unfreeze`: tells a frozen machine to go on, and answers before it does: its `frozen` is gone when it
 * has. With `?dryRun=true` nothing is told, and the answer is what would become of its units.
 */
export async function postUnfreeze({ deps, request, query, name }: RoutedRequest): Promise<ApiResponse> {
  const wrongType = findWrongType(request);
  if (wrongType !== undefined) return wrongType;
  const body = parseUnfreeze(request.body);
  if (body.kind === 'refused') return failure(400, `unable to decode body: ${body.why}`);
  const { how } = body.request;
  const isDryRun = parseDryRun(query.getAll('dryRun'));
  if (isDryRun === undefined) return failure(400, 'dryRun is true or false');
  const machine = findMachineId(name);
  if (machine === undefined) return refusal('absent');
  const plan = await readUnfreezeEffects(deps, machine, how);
  if (plan.kind !== 'planned') return refusal(plan.kind);
  const { frozen, effects } = plan;
  if (isDryRun) return json(toUnfreezeAnswer({ frozen, how, machineId: machine, units: effects.map(toEntity) }));
  const outcome = await orderUnfreeze(deps.store, machine, how);
  if (outcome !== 'ordered') return refusal(outcome);
  deps.log.warn('a machine is to be unfrozen', { machine, how, frozen });
  return json(toUnfreezeAnswer({ frozen, how, machineId: machine, units: [] }), 202);
}

/** `undefined`: nobody knows what is meant, and taken for an order it would stop units. */
function parseDryRun(values: readonly string[]): boolean | undefined {
  const [value = 'false', ...others] = values;
  if (others.length > 0 || !['true', 'false'].includes(value)) return undefined;
  return value === 'true';
}

type Refusal = 'absent' | 'not-frozen' | 'not-told' | 'conflict';

const refusals: Readonly<Record<Refusal, readonly [status: number, message: string]>> = {
  absent: [404, 'machine does not exist'],
  'not-frozen': [409, 'machine is not frozen'],
  'not-told': [503, 'machine has yet to look at what it has: try again'],
  conflict: [409, 'machine is changing: try again'],
};

function refusal(why: Refusal): ApiResponse {
  return failure(...refusals[why]);
}

function toEntity({ unit, effect, why }: UnfreezeEffect): UnfreezeEffectEntity {
  return { effect, name: unit, why: explain(why) };
}

function explain(why: UnfreezeReason): string {
  switch (why.kind) {
    case 'unknown':
      return 'the store does not have it';
    case 'unreadable':
      return "the store's record of it can't be read";
    case 'inactive':
      return 'the store has it inactive';
    case 'waiting':
      return 'the store has it, and places it nowhere yet';
    case 'other-content':
      return 'the store has it here with other content';
    case 'same':
      return 'the store has it here';
    case 'placed-elsewhere':
      return `the store has it on ${why.machine}`;
    case 'wanted':
      return `the store has it ${why.desiredState} here`;
    default:
      return assertNever(why);
  }
}
