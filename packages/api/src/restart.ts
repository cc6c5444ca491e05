import { type RestartRefusal, restartUnit } from '@flotilla/registry';
import { parseRestart, type RestartAnswer } from '@flotilla/schema';
import { isUnitName } from '@flotilla/unit';
import { findWrongType } from './json-type.js';
import { findMachineId } from './machine-id.js';
import type { ApiResponse } from './request.js';
import type { RoutedRequest } from './resource.js';
import { failure, json } from './responses.js';

/**
 * `POST units/<name>/restart`: has a unit started once more, whether it runs or not. Answers before it is: the unit's state
 * says the answer's order, or a larger one, when it has been.
 */
export async function postRestart({ deps, request, name }: RoutedRequest): Promise<ApiResponse> {
  const wrongType = findWrongType(request);
  if (wrongType !== undefined) return wrongType;
  const body = parseRestart(request.body);
  if (body.kind === 'refused') return failure(400, `unable to decode body: ${body.why}`);
  if (!isUnitName(name)) return refusal('absent');
  const { machineID } = body.request;
  const machine = machineID === undefined ? undefined : findMachineId(machineID);
  if (machineID !== undefined && machine === undefined) return refusal('no-machine');
  const outcome = await restartUnit(deps, name, machine);
  if (outcome.kind === 'refused') return refusal(outcome.why);
  const { order, machine: where } = outcome;
  const answer: RestartAnswer = { ...(where === undefined ? {} : { machineID: where }), name, order };
  return json(answer);
}

function refusal(why: RestartRefusal): ApiResponse {
  return failure(...refusals[why]);
}

const refusals: Readonly<Record<RestartRefusal, readonly [status: number, message: string]>> = {
  absent: [404, 'unit does not exist'],
  template: [400, 'a template does not run: restart its instances'],
  inactive: [409, 'unit is inactive: start it'],
  elsewhere: [409, 'unit is not on that machine'],
  'no-machine': [404, 'machine does not exist'],
  'not-there': [409, 'unit is not on that machine'],
  'not-launched': [409, 'unit is stopped everywhere: restart or start it on all machines'],
  conflict: [409, 'unit is being changed by others: try again'],
};
