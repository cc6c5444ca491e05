import { type LeaderExplains, shortMachineId, type UnknownUnit } from '@flotilla/cluster';
import { assertNever } from '@flotilla/errors';
import { toExplanationEntity } from '@flotilla/schema';
import { isUnitName } from '@flotilla/unit';
import type { ApiResponse } from './request.js';
import type { RoutedRequest } from './resource.js';
import { failure, json } from './responses.js';

/** `GET /fleet/v2/units/<name>/explain` */
export async function getExplanation({ deps, name }: RoutedRequest): Promise<ApiResponse> {
  if (deps.explain === undefined) return failure(501, 'this fleetd can not explain');
  if (!isUnitName(name)) return failure(404, 'unit does not exist');
  const explained = await deps.explain(name);
  switch (explained.kind) {
    case 'unit':
      return json(toExplanationEntity(explained));
    case 'unknown':
      return failure(404, noSuchUnit(explained));
    case 'leader-explains':
      return failure(421, whomToAsk(explained));
    default:
      return assertNever(explained);
  }
}

function noSuchUnit({ nearest }: UnknownUnit): string {
  return nearest === undefined ? 'unit does not exist' : `unit does not exist; there is ${nearest}`;
}

/** 421: this one can't answer, and that one can. */
function whomToAsk({ leader }: LeaderExplains): string {
  const only = 'only the leader explains the units of a cluster as large as this one';
  if (leader === undefined) return `${only}, and nobody leads at the moment`;
  const at = leader.address === '' ? '' : ` at ${leader.address}`;
  return `${only}: ask the fleetd of machine ${shortMachineId(leader.machine)}${at}`;
}
