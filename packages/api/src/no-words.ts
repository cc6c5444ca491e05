import type { ApiRequest, ApiResponse } from './request.js';
import { failure } from './responses.js';

/** The answer to a request with a body that says something, where the path says all: `what`. */
export function findWords({ body }: ApiRequest, what: string): ApiResponse | undefined {
  if (/^\s*(\{\s*\})?\s*$/.test(new TextDecoder().decode(body))) return undefined;
  return failure(400, `unable to decode body: there is nothing to say but ${what}, so it is empty or {}`);
}
