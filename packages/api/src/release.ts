import { orderRelease, type ReleaseOutcome } from '@flotilla/registry';
import { findWrongType } from './json-type.js';
import { findMachineId } from './machine-id.js';
import { findWords } from './no-words.js';
import type { ApiResponse } from './request.js';
import type { RoutedRequest } from './resource.js';
import { failure } from './responses.js';

/**
 * `POST machines/<id>/release`: a machine that is gone is lost, whatever the brake or the rate say. Answers before the leader
 * has heard of it: the machine's state in `losses` is `lost` when it has. One that is lost already is forgotten.
 */
export async function postRelease({ deps, request, name }: RoutedRequest): Promise<ApiResponse> {
  const refusal = findWrongType(request) ?? findWords(request, 'the machine');
  if (refusal !== undefined) return refusal;
  const machine = findMachineId(name);
  const outcome = machine === undefined ? 'absent' : await orderRelease(deps, machine);
  if (outcome === 'forgotten') deps.log.info('a machine that is lost is forgotten', { machine });
  else if (outcome === 'ordered') deps.log.warn('a machine that is gone is released: it is lost', { machine });
  else return failure(...refusals[outcome]);
  return { status: 204, headers: {}, body: '' };
}

type Refusal = Exclude<ReleaseOutcome, 'ordered' | 'forgotten'>;

const refusals: Readonly<Record<Refusal, readonly [status: number, message: string]>> = {
  absent: [404, 'machine does not exist'],
  alive: [409, 'machine is alive'],
  left: [409, 'machine has left the cluster, nothing of it is held back'],
  counted: [409, 'machine counts as lost already, and is not forgotten while too many are gone at once'],
  conflict: [409, 'machine is changing: try again'],
};
