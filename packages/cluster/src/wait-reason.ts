import { assertNever } from '@flotilla/errors';
import type { Misfit } from './misfits.js';
import type { MachineId } from './types.js';

/** Why a unit waits for a machine, in a form that can be stored. */
export interface WaitReason {
  /** How many machines there are. */
  readonly machines: number;
  /** How many of them each misfit rules out, by {@link misfitKey}; each machine is counted once, keys are in order. */
  readonly misfits: Readonly<Record<string, number>>;
}

/** A misfit as a key of {@link WaitReason}: its kind and, after a colon, what it is about. */
export function misfitKey(misfit: Misfit): string {
  switch (misfit.kind) {
    case 'not-required-machine':
      return `${misfit.kind}:${misfit.required}`;
    case 'missing-metadata':
      return `${misfit.kind}:${misfit.key}=${misfit.accepted.join('|')}`;
    case 'machine-closed':
      return misfit.kind;
    default:
      return assertNever(misfit);
  }
}

/** The key under which a unit waits until it has left a machine: it stops there before it starts elsewhere. */
export function leavingKey(machine: MachineId): string {
  return `leaving:${machine}`;
}

/** Counts of {@link misfitKey}s as a {@link WaitReason}. */
export function waitReason(machines: number, counts: ReadonlyMap<string, number>): WaitReason {
  return { machines, misfits: Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1))) };
}
