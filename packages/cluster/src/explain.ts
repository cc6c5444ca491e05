import { assertNever } from '@flotilla/errors';
import { shortMachineId } from './machine-id.js';
import type { Misfit } from './misfits.js';
import type { MachineId } from './types.js';
import type { WaitReason } from './wait-reason.js';

/** Why a unit waits, in English, as part of a sentence: `3 machines: 2 lack role=db, 1 is not machine abc`. */
export function explain({ machines, misfits }: WaitReason): string {
  const leaving = Object.keys(misfits).filter((key) => splitKey(key).kind === 'leaving');
  if (leaving.length > 0) {
    const ids = leaving.map((key) => shortMachineId(splitKey(key).detail as MachineId));
    return `it is still being stopped on machine ${ids.join(', ')}`;
  }
  if (machines === 0) return 'there is no machine';
  const parts = Object.entries(misfits)
    .sort(([keyA, a], [keyB, b]) => b - a || (keyA < keyB ? -1 : 1))
    .map(([key, count]) => explainCount(key, count));
  return `${machines} ${machines === 1 ? 'machine' : 'machines'}: ${parts.join(', ') || 'none was tried yet'}`;
}

/** One misfit in English, about one machine: `lacks role=db`. */
export function explainMisfit(misfit: Misfit): string {
  switch (misfit.kind) {
    case 'not-required-machine':
      return `is not machine ${misfit.required}`;
    case 'missing-metadata':
      return `lacks ${misfit.key}=${misfit.accepted.join('|')}`;
    case 'machine-closed':
      return 'takes no new units';
    default:
      return assertNever(misfit);
  }
}

function explainCount(key: string, count: number): string {
  const { kind, detail } = splitKey(key);
  const isOne = count === 1;
  switch (kind) {
    case 'not-required-machine':
      return `${count} ${isOne ? 'is' : 'are'} not machine ${detail}`;
    case 'missing-metadata':
      return `${count} ${isOne ? 'lacks' : 'lack'} ${detail}`;
    case 'machine-closed':
      return `${count} ${isOne ? 'takes' : 'take'} no new units`;
    default:
      // A newer leader may know rules that this version doesn't.
      return `${count} ${isOne ? 'is' : 'are'} ruled out by ${key}`;
  }
}

function splitKey(key: string): { readonly kind: string; readonly detail: string } {
  const colon = key.indexOf(':');
  return colon < 0 ? { kind: key, detail: '' } : { kind: key.slice(0, colon), detail: key.slice(colon + 1) };
}
