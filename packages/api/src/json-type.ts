import type { ApiRequest, ApiResponse } from './request.js';
import { failure } from './responses.js';

/** The answer to a request that doesn't say, or doesn't only say, that its body is JSON. */
export function findWrongType({ headers }: ApiRequest): ApiResponse | undefined {
  const types = headers['content-type'] ?? [];
  const [type = ''] = types;
  if (types.length !== 1) return failure(415, `expected 1 Content-Type, got ${types.length}`);
  if (type.split(';')[0]?.trim() !== 'application/json')
    return failure(415, 'only acceptable Content-Type is application/json');
  return undefined;
}
