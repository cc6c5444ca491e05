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

/** The refusal that an answer with a status of 400 or more is. */
export function apiError({ status, text }: Answer): ApiError {
  return new ApiError(status, errorMessage(text));
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

function errorMessage(text: string): string {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === 'object' && body !== null && 'error' in body) {
      const { error } = body;
      if (typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string')
        return error.message;
    }
  } catch {
    // Not from the API but from something in between; its text says more than nothing.
  }
  return text.trim().slice(0, longestForeignText);
}

const longestForeignText = 200;
