import { toErrorBody } from '@flotilla/schema';
import type { ApiResponse } from './request.js';

/** What fleet says while it can't do anything for a client; clients look for this text. */
export const awayText = 'fleet server unable to communicate with etcd';

/** What is said of a change that etcd has not acknowledged. */
export const uncertainText = 'etcd did not answer: it is not known whether this was done; look before you try again';

/** An answer with a JSON body. Keys stand as they were put. */
export function json(value: object, status = 200): ApiResponse {
  return { status, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(value) };
}

/** An error, in the form that all of them have. */
export function failure(status: number, message = ''): ApiResponse {
  return json(toErrorBody(status, message), status);
}
