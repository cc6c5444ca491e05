import { orderRelease, type ReleaseOutcome } from '@flotilla/registry';
import { findWrongType } from './json-type.js';
import { findMachineId } from './machine-id.js';
import type { ApiResponse } from './request.js';
import type { RoutedRequest } from './resource.js';
import { failure } from './responses.js';

/**
 * `POST machines/<id>/release`: a machine that is gone is lost, whatever the brake or the rate say. Answers before the leader
 * has heard of it: the machine's state in `losses` is `lost` when it has.
 */
export async function postRelease({ deps, request, name }: RoutedRequest): Promise<ApiResponse> {
  const wrongType = findWrongType(request);
  if (wrongType !== undefined) return wrongType;
  if (!/^\s*(\{\s*\})?\s*$/.test(new TextDecoder().decode(request.body)))
    return failure(400, 'unable to decode body: there is nothing to say but the machine, so it is empty or {}');
  const machine = findMachineId(name);
  const outcome = machine === undefined ? 'absent' : await orderRelease(deps, machine);
  if (outcome !== 'ordered') return failure(...refusals[outcome]);
  deps.log.warn('a machine that is gone is released: it is lost', { machine });
  return { status: 204, headers: {}, body: '' };
}

const refusals: Readonly<Record<Exclude<ReleaseOutcome, 'ordered'>, readonly [status: number, message: string]>> = {
  absent: [404, 'machine does not exist'],
  alive: [409, 'machine is alive'],
  left: [409, 'machine has left the cluster, nothing of it is held back'],
  lost: [409, 'machine counts as lost already'],
  conflict: [409, 'machine is changing: try again'],
};
