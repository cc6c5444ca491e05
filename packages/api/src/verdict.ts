import { assertNever } from '@flotilla/errors';
import { type ClaimOutcome, type DeleteUnitOutcome, type PutUnitOutcome, StoreError } from '@flotilla/registry';
import type { BatchEffectWord } from '@flotilla/schema';
import type { OwnerName, UnitName } from '@flotilla/unit';
import { explainOwned } from './owner.js';
import type { ApiResponse } from './request.js';
import { awayText, failure, uncertainText } from './responses.js';

/** What came of a change to one unit, on its own or in a batch. */
export type Verdict =
  | { readonly status: 201 | 204; readonly effect: BatchEffectWord }
  | { readonly status: 400 | 404 | 409 | 413 | 500 | 503 | 507; readonly message: string };

export const noUnit: Verdict = { status: 404, message: 'unit does not exist' };
export const rivals: Verdict = { status: 409, message: 'unit is being changed by others: try again' };

/** The verdict as an answer of its own. */
export function answerOf(verdict: Verdict): ApiResponse {
  return 'message' in verdict
    ? failure(verdict.status, verdict.message)
    : { status: verdict.status, headers: {}, body: '' };
}

export function verdictOnPut(name: UnitName, outcome: PutUnitOutcome): Verdict {
  if (typeof outcome === 'object') return { status: 409, message: explainOwned(name, outcome.owner) };
  switch (outcome) {
    case 'created':
    case 'replaced':
      return { status: 201, effect: outcome };
    case 'updated':
    case 'unchanged':
      return { status: 204, effect: outcome };
    case 'absent':
      return { status: 409, message: 'unit does not exist and options field empty' };
    case 'nothing-asked':
      return { status: 409, message: 'must provide DesiredState to update existing unit' };
    case 'present':
      return { status: 409, message: 'unit exists already' };
    case 'template':
      return { status: 400, message: `cannot activate template "${name}"` };
    case 'conflict':
      return rivals;
    default:
      return assertNever(outcome);
  }
}

export function verdictOnDelete(name: UnitName, outcome: DeleteUnitOutcome): Verdict {
  if (typeof outcome === 'object') return { status: 409, message: explainOwned(name, outcome.owner) };
  switch (outcome) {
    case 'deleted':
      return { status: 204, effect: 'destroyed' };
    case 'absent':
      return noUnit;
    case 'conflict':
      return rivals;
    default:
      return assertNever(outcome);
  }
}

/** What came of what `by` wants of a unit. */
export function verdictOnClaim(name: UnitName, outcome: ClaimOutcome, by: OwnerName): Verdict {
  if (typeof outcome === 'object') return { status: 409, message: explainOwned(name, outcome.owner, by) };
  switch (outcome) {
    case 'created':
    case 'replaced':
      return { status: 201, effect: outcome };
    case 'updated':
    case 'unchanged':
    case 'behind':
    case 'destroyed':
      return { status: 204, effect: outcome };
    case 'dropped':
      return { status: 204, effect: 'kept' };
    case 'rivals':
      return rivals;
    default:
      return assertNever(outcome);
  }
}

/** What a client is told of what was thrown. The details are for the log. */
export function verdictOnError(error: unknown): Verdict {
  if (!(error instanceof StoreError)) return { status: 500, message: '' };
  // Not 503: etcd is there, and trying again does not help before somebody has seen to it.
  if (error.refusal !== undefined) return { status: 507, message: error.message };
  if (error.kind === 'unavailable') return { status: 503, message: awayText };
  return { status: 500, message: error.kind === 'uncertain' ? uncertainText : '' };
}
