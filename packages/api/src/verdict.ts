import { assertNever } from '@flotilla/errors';
import { type DeleteUnitOutcome, type Owned, type PutUnitOutcome, StoreError } from '@flotilla/registry';
import type { UnitName } from '@flotilla/unit';
import type { ApiResponse } from './request.js';
import { awayText, failure, uncertainText } from './responses.js';

/** What came of a change to one unit, on its own or in a batch. */
export type Verdict =
  | { readonly status: 201 | 204 }
  | { readonly status: 400 | 404 | 409 | 413 | 500 | 503 | 507; readonly message: string };

export const noUnit: Verdict = { status: 404, message: 'unit does not exist' };

/** The verdict as an answer of its own. */
export function answerOf(verdict: Verdict): ApiResponse {
  return 'message' in verdict
    ? failure(verdict.status, verdict.message)
    : { status: verdict.status, headers: {}, body: '' };
}

export function verdictOnPut(name: UnitName, outcome: PutUnitOutcome): Verdict {
  if (typeof outcome === 'object') return verdictOnOwned(name, outcome);
  switch (outcome) {
    case 'created':
    case 'replaced':
      return { status: 201 };
    case 'updated':
    case 'unchanged':
      return { status: 204 };
    case 'absent':
      return { status: 409, message: 'unit does not exist and options field empty' };
    case 'nothing-asked':
      return { status: 409, message: 'must provide DesiredState to update existing unit' };
    case 'present':
      return { status: 409, message: 'unit exists already' };
    case 'template':
      return { status: 400, message: `cannot activate template "${name}"` };
    case 'conflict':
      return contended;
    default:
      return assertNever(outcome);
  }
}

export function verdictOnDelete(name: UnitName, outcome: DeleteUnitOutcome): Verdict {
  if (typeof outcome === 'object') return verdictOnOwned(name, outcome);
  if (outcome === 'conflict') return contended;
  return outcome === 'absent' ? noUnit : { status: 204 };
}

/** The unit's content and existence are another's than the one's who asked. */
function verdictOnOwned(name: UnitName, { owner }: Owned): Verdict {
  if (owner === undefined)
    return {
      status: 409,
      message: `unit belongs to no directory: fleetctl adopt --owner NAME ${name} gives it to one`,
    };
  const remedy = `change or remove its file there, or run fleetctl adopt ${name} first`;
  return { status: 409, message: `unit is owned by the directory "${owner}": ${remedy}` };
}

const contended: Verdict = { status: 409, message: 'unit is being changed by others: try again' };

/** What a client is told of what was thrown. The details are for the log. */
export function verdictOnError(error: unknown): Verdict {
  if (!(error instanceof StoreError)) return { status: 500, message: '' };
  // Not 503: etcd is there, and trying again does not help before somebody has seen to it.
  if (error.refusal !== undefined) return { status: 507, message: error.message };
  if (error.kind === 'unavailable') return { status: 503, message: awayText };
  return { status: 500, message: error.kind === 'uncertain' ? uncertainText : '' };
}
