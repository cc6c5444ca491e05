import { FleetError } from '@flotilla/errors';
import { ApiError } from './errors.js';

/** What came back for a request. */
export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** @throws ApiError for a status of 400 or more. */
export function checkStatus(answer: Answer): void {
  if (answer.status >= 400) throw apiError(answer);
}

/** Whether the server does not know what was asked for: what is not there among what it knows, it has words for. */
export function isUnknownRequest({ status, text }: Answer): boolean {
  return status === 404 && findErrorMessage(text) === '';
}

/**
 * The refusal that an answer with a status of 400 or more is.
 *
 * @throws FleetError `bad-answer` if what answers is no API: a web page, say.
 */
export function apiError({ status, text }: Answer): ApiError {
  const message = findErrorMessage(text);
  if (message === undefined) {
    throw new FleetError('bad-answer', `the answer, with status ${status}, is none of a fleetd`, {
      hint: '--endpoint or FLEETCTL_ENDPOINT names the socket or the address of a fleetd.',
    });
  }
  return new ApiError(status, message);
}

/**
 * The body of an answer. The one parse boundary: the API's own types are trusted, so that a client need not load a
 * validator.
 *
 * @throws ApiError for a status of 400 or more.
 * @throws FleetError `bad-answer`
 */
export function decode<T>(answer: Answer): T {
  checkStatus(answer);
  let body: unknown;
  try {
    body = JSON.parse(answer.text);
  } catch (cause) {
    throw new FleetError('bad-answer', 'the answer is not JSON: is this the endpoint of a fleetd?', { cause });
  }
  if (typeof body !== 'object' || body === null) throw new FleetError('bad-answer', 'the answer is not a JSON object');
  return body as T;
}

/** The message of an API's error body; no body at all is an error without a message. */
function findErrorMessage(text: string): string | undefined {
  // The latter is fleet's own word for a path that it does not know.
  if (text === '' || text.trim() === '404 page not found') return '';
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === 'object' && body !== null && 'error' in body) {
      const { error } = body;
      if (typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string')
        return error.message;
    }
  } catch {
    // Not JSON: not the API.
  }
  return undefined;
}
