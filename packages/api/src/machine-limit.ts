import { changeMachineSettings, type MachineLimits, readMachineLimits } from '@flotilla/registry';
import { type MachineLimitAnswer, parseMachineLimit } from '@flotilla/schema';
import { findWrongType } from './json-type.js';
import { findMachineId } from './machine-id.js';
import type { ApiResponse } from './request.js';
import type { RoutedRequest } from './resource.js';
import { failure, json } from './responses.js';

/** `POST machines/<id>/limit`: how many units a machine takes, whether it is there or not. */
export async function postMachineLimit({ deps, request, name }: RoutedRequest): Promise<ApiResponse> {
  const wrongType = findWrongType(request);
  if (wrongType !== undefined) return wrongType;
  const body = parseMachineLimit(request.body);
  if (body.kind === 'refused') return failure(400, `unable to decode body: ${body.why}`);
  const machine = findMachineId(name);
  if (machine === undefined) return failure(400, `not a machine ID: ${JSON.stringify(name)}`);
  const { maxUnits } = body.request;
  const outcome = await changeMachineSettings(deps, machine, ({ maxUnits: _, ...others }) =>
    maxUnits === null ? others : { ...others, maxUnits },
  );
  if (outcome === 'conflict') return failure(409, 'machine is being changed by others: try again');
  const answer: MachineLimitAnswer = { machineID: machine, ...limitAndSource(await readMachineLimits(deps, machine)) };
  return json(answer);
}

function limitAndSource({ told, own, all }: MachineLimits): Pick<MachineLimitAnswer, 'maxUnits' | 'source'> {
  if (told !== undefined) return { maxUnits: told, source: 'api' };
  if (own !== undefined) return { maxUnits: own, source: 'machine' };
  return all === undefined ? {} : { maxUnits: all, source: 'cluster' };
}
