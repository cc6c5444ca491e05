import { assertNever } from '@flotilla/errors';
import type { MachineId, StoppingUnit } from './cluster-model.js';
import { spellTest } from './metadata.js';
import type { Misfit } from './misfits.js';

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
    case 'failed-test':
      return `${misfit.kind}:${spellTest(misfit.test)}`;
    case 'missing-peer':
      return `${misfit.kind}:${misfit.peer}`;
    case 'conflict':
      return `${misfit.kind}:${misfit.with}`;
    // Machines with different limits are full alike.
    case 'machine-full':
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

/** The key under which a unit waits that may still be up on a machine that is gone: `stopping:<machine>:<ISO time>`. */
export function stoppingKey({ machine, untilMs }: StoppingUnit): string {
  const until = new Date(Math.ceil(untilMs / 1000) * 1000);
  return `stopping:${machine}:${until.toISOString().replace('.000', '')}`;
}

/** The key under which a unit waits for a unit that it is to be with and that is on no machine. */
export function awaitedPeerKey(peer: string): string {
  return `awaits-peer:${peer}`;
}

/** A reason is stored, so it names only so many misfits; the others are counted by kind. */
const mostKeys = 8;

/** Counts of {@link misfitKey}s as a {@link WaitReason}: the commonest by key, the rest by kind. */
export function waitReason(machines: number, counts: ReadonlyMap<string, number>): WaitReason {
  const kept = new Map<string, number>();
  const byFrequency = [...counts].sort(([keyA, a], [keyB, b]) => b - a || (keyA < keyB ? -1 : 1));
  for (const [index, [key, count]] of byFrequency.entries()) {
    const keptKey = index < mostKeys ? key : kindOfKey(key);
    kept.set(keptKey, (kept.get(keptKey) ?? 0) + count);
  }
  return { machines, misfits: Object.fromEntries([...kept].sort(([a], [b]) => (a < b ? -1 : 1))) };
}

function kindOfKey(key: string): string {
  const colon = key.indexOf(':');
  return colon < 0 ? key : key.slice(0, colon);
}
