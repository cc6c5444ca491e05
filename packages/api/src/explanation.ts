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
  if (explained.kind === 'unit') return json(toExplanationEntity(explained));
  const { nearest } = explained;
  return failure(404, nearest === undefined ? 'unit does not exist' : `unit does not exist; there is ${nearest}`);
}
