import type { UnfreezeRequest } from './entities.js';
import { type ParsedBody, parseBody } from './request-body.js';
import { unfreezeRequestSchema } from './validation.js';

/** Reads the body of `POST machines/<id>/unfreeze`. */
export function parseUnfreeze(bytes: Uint8Array): ParsedBody<UnfreezeRequest> {
  return parseBody(bytes, unfreezeRequestSchema);
}
