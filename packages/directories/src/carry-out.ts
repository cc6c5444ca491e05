import { FleetError } from '@flotilla/errors';
import {
  type ClaimChange,
  type ClaimOutcome,
  type ClaimSide,
  changeClaims,
  type RegistryAccess,
  StoreError,
  type UnitResult,
} from '@flotilla/registry';
import type { UnitName } from '@flotilla/unit';
import type { SeenUnit } from './differences.js';
import type { Setbacks } from './setbacks.js';
import type { Standing } from './standing.js';

/** What a pass is to do. */
export interface Wanted {
  readonly holds: ReadonlyMap<UnitName, SeenUnit>;
  readonly drops: readonly UnitName[];
}

/** What a pass has done to the cluster's units, by name. */
export interface Tally {
  readonly created: readonly UnitName[];
  readonly changed: readonly UnitName[];
  readonly removed: readonly UnitName[];
  /** The first reason why something may or may not have been done, and everything is to be read again. */
  readonly error: unknown;
}

export interface CarryOutOptions {
  readonly access: RegistryAccess;
  readonly side: ClaimSide;
  readonly standing: Standing;
  readonly setbacks: Setbacks;
  /** On the monotonic clock. */
  readonly nowMs: number;
  /** The files are older than what was seen last: they are seen anew, and change nothing. */
  readonly isOlderCopy: boolean;
}

/** What stands for a unit that is to go among what was tried. */
export const triedDrop = 'gone';

/** Carries out what a pass wants, all at once, and notes what came of each unit. */
export async function carryOut(options: CarryOutOptions, { holds, drops }: Wanted): Promise<Tally> {
  const { access, side, standing, isOlderCopy } = options;
  const changes = new Map<UnitName, ClaimChange>();
  for (const [name, seen] of holds) changes.set(name, toHold(seen, isOlderCopy));
  for (const name of drops) changes.set(name, { kind: 'drop' });
  // Until each outcome is noted: it may end in between.
  standing.invalidate();
  const results = await changeClaims(access, side, changes);
  const tally = { created: [] as UnitName[], changed: [] as UnitName[], removed: [] as UnitName[] };
  let error: unknown;
  for (const [name, result] of results) {
    if (result.kind === 'failed' && isTransient(result.error)) {
      error ??= result.error;
      continue;
    }
    note(name, { result, seen: holds.get(name) }, options);
    const effect = result.kind === 'settled' ? effectOf(result.outcome) : undefined;
    if (effect !== undefined) tally[effect].push(name);
  }
  if (error === undefined) standing.confirm();
  return { ...tally, error };
}

function toHold({ unit, claim }: SeenUnit, isOlderCopy: boolean): ClaimChange {
  const { bytes, hash, isGlobal, isTemplate } = unit;
  return {
    kind: 'hold',
    content: { file: bytes, hash, isGlobal, isVerbatim: true },
    desiredState: isTemplate ? 'inactive' : 'launched',
    source: claim.source,
    ...(isOlderCopy && { isBaseline: true }),
  };
}

interface Noted {
  readonly result: UnitResult<ClaimOutcome>;
  /** `undefined`: it was to go. */
  readonly seen: SeenUnit | undefined;
}

function note(name: UnitName, { result, seen }: Noted, { standing, setbacks, nowMs }: CarryOutOptions): void {
  const setback = setbackOf({ result, seen });
  if (setback !== undefined) {
    setbacks.note(name, { setback, tried: seen?.claim.file ?? triedDrop, nowMs });
    return;
  }
  setbacks.forget(name);
  if (seen === undefined) standing.noteDrop(name);
  else standing.noteClaim(name, seen.claim);
}

function setbackOf({ result, seen }: Noted) {
  const source = seen?.claim.source ?? '';
  if (result.kind === 'failed') {
    const message = result.error instanceof Error ? result.error.message : String(result.error);
    return { kind: 'failure', source, message } as const;
  }
  const { outcome } = result;
  if (typeof outcome === 'object') return { kind: 'conflict', owner: outcome.owner } as const;
  if (outcome === 'rivals') return { kind: 'failure', source, message: 'others keep changing it' } as const;
  return undefined;
}

function effectOf(outcome: ClaimOutcome): 'created' | 'changed' | 'removed' | undefined {
  if (outcome === 'created') return 'created';
  if (outcome === 'replaced' || outcome === 'updated') return 'changed';
  return outcome === 'destroyed' ? 'removed' : undefined;
}

/** Whether it says nothing of the unit, and is worth trying again at once. */
function isTransient(error: unknown): boolean {
  if (error instanceof StoreError) return error.kind !== 'refused';
  return error instanceof FleetError && error.code === 'not-joined';
}
