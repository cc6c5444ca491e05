import { assertNever } from '@flotilla/errors';
import type { MachineId } from './cluster-model.js';
import { shortMachineId } from './machine-id.js';
import { spellTest } from './metadata.js';
import type { Misfit } from './misfits.js';
import type { WaitReason } from './wait-reason.js';

/** Why a unit waits, in English, as part of a sentence: `3 machines: 2 lack role=db, 1 conflicts with lb@1.service`. */
export function explain({ machines, misfits }: WaitReason): string {
  const leaving = Object.keys(misfits).filter((key) => splitKey(key).kind === 'leaving');
  if (leaving.length > 0) {
    const ids = leaving.map((key) => shortMachineId(splitKey(key).detail as MachineId));
    return `it is still being stopped on machine ${ids.join(', ')}`;
  }
  const stopping = Object.keys(misfits).find((key) => splitKey(key).kind === 'stopping');
  if (stopping !== undefined) return explainStopping(splitKey(stopping).detail);
  const awaited = Object.keys(misfits).find((key) => splitKey(key).kind === 'awaits-peer');
  if (awaited !== undefined) return `it waits for ${splitKey(awaited).detail}, which is on no machine`;
  if (machines === 0) return 'there is no machine';
  const parts = Object.entries(misfits)
    .sort(([keyA, a], [keyB, b]) => b - a || (keyA < keyB ? -1 : 1))
    .map(([key, count]) => explainCount(key, count));
  return `${machines} ${machines === 1 ? 'machine' : 'machines'}: ${parts.join(', ') || 'none was tried yet'}`;
}

function explainStopping(detail: string): string {
  const { kind: machine, detail: until } = splitKey(detail);
  return `machine ${shortMachineId(machine as MachineId)} is gone, and may take until ${until} to stop it (OnPartition=stop)`;
}

/** One misfit in English, about one machine: `lacks role=db`. */
export function explainMisfit(misfit: Misfit): string {
  switch (misfit.kind) {
    case 'not-required-machine':
      return `is not machine ${shortMachineId(misfit.required as MachineId)}`;
    case 'missing-metadata':
      return `lacks ${misfit.key}=${misfit.accepted.join('|')}`;
    case 'failed-test':
      return explainFailedTest(spellTest(misfit.test), 'one');
    case 'missing-peer':
      return `does not have ${misfit.peer}`;
    case 'conflict':
      return `has ${misfit.with}, with which it conflicts`;
    case 'machine-full':
      return `is full, with its limit at ${misfit.maxUnits}`;
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
      return `${count} ${isOne ? 'is' : 'are'} not machine ${shortMachineId(detail as MachineId)}`;
    case 'missing-metadata':
      return `${count} ${isOne ? 'lacks' : 'lack'} ${detail}`;
    case 'failed-test':
      return `${count} ${explainFailedTest(detail || 'another test', isOne ? 'one' : 'several')}`;
    case 'missing-peer':
      return `${count} ${isOne ? 'does' : 'do'} not have ${detail || 'other units that it needs'}`;
    case 'conflict':
      return `${count} ${isOne ? 'conflicts' : 'conflict'} with ${detail || 'other units'}`;
    case 'machine-full':
      return `${count} ${isOne ? 'is' : 'are'} full`;
    case 'machine-closed':
      return `${count} ${isOne ? 'takes' : 'take'} no new units`;
    default:
      // A newer leader may know rules that this version doesn't.
      return `${count} ${isOne ? 'is' : 'are'} ruled out by ${key}`;
  }
}

/** What is so of machines that fail a test as `[X-Fleet]` spells it: they lack `gpu`, have `spot` where `!spot` is asked. */
function explainFailedTest(test: string, machines: 'one' | 'several'): string {
  const isOne = machines === 'one';
  if (test.startsWith('!')) return `${isOne ? 'has' : 'have'} ${test.slice(1)}`;
  if (/^[^\s=<>!]+$/.test(test)) return `${isOne ? 'lacks' : 'lack'} ${test}`;
  return `${isOne ? 'fails' : 'fail'} ${test}`;
}

function splitKey(key: string): { readonly kind: string; readonly detail: string } {
  const colon = key.indexOf(':');
  return colon < 0 ? { kind: key, detail: '' } : { kind: key.slice(0, colon), detail: key.slice(colon + 1) };
}
