import { assertNever } from '@flotilla/errors';
import { type OwnerName, type UnitName, unitNameParts } from '@flotilla/unit';
import type { ClaimChange, ClaimOutcome, DropChange, HoldChange } from './claims.js';
import type { ClaimRecord } from './directory-records.js';
import type { Revision } from './store.js';
import type { Before } from './unit-before.js';
import { decideUnitChange, isOtherContent } from './unit-change.js';
import type { WriteDecision } from './unit-write.js';

/** A unit and the own claim on it, read at one revision. */
export interface SeenClaim {
  /** Absent if there is no such unit. */
  readonly before: Before | undefined;
  readonly claim: { readonly record: ClaimRecord; readonly modRevision: Revision } | undefined;
}

/** Whether anybody else claims a unit for its owner; `undefined` if nobody has looked. */
export type HasOthers = boolean | undefined;

/** What is to become of a unit and the own claim on it. */
export type ClaimDecision =
  | { readonly kind: 'settled'; readonly outcome: ClaimOutcome }
  /** It depends on whether others claim the unit. */
  | { readonly kind: 'ask-others' }
  /** `unit` is absent if the unit stays as it is. `isAlone`: only if nobody else claims the unit by then. */
  | {
      readonly kind: 'hold';
      readonly effect: ClaimOutcome;
      readonly claim: ClaimRecord;
      readonly unit: WriteDecision | undefined;
      readonly isAlone: boolean;
    }
  /** `dropped`, with others: as long as one of them is left. */
  | { readonly kind: 'drop'; readonly effect: 'dropped' | 'destroyed'; readonly hasOthers: boolean };

/** What {@link decideClaim} decides on. */
export interface ClaimCase {
  readonly name: UnitName;
  readonly owner: OwnerName;
  readonly change: ClaimChange;
  /** SHA-256 of the content's file, in hex; empty for a drop. */
  readonly fileKey: string;
  readonly seen: SeenClaim;
  readonly hasOthers: HasOthers;
}

/** What a claimant's wish makes of a unit and of the claim on it. */
export function decideClaim(of: ClaimCase): ClaimDecision {
  const { change } = of;
  switch (change.kind) {
    case 'hold':
      return decideHold(of, change);
    case 'drop':
      return decideDrop(of, change);
    default:
      return assertNever(change);
  }
}

function decideDrop(
  { owner, seen: { before, claim }, hasOthers }: ClaimCase,
  { isExplicit }: DropChange,
): ClaimDecision {
  const isOwn = before?.record.owner === owner;
  if (claim === undefined && !(isOwn && isExplicit === true)) return { kind: 'settled', outcome: 'dropped' };
  if (!isOwn) return { kind: 'drop', effect: 'dropped', hasOthers: false };
  if (hasOthers === undefined) return { kind: 'ask-others' };
  if (claim === undefined && hasOthers) return { kind: 'settled', outcome: 'dropped' };
  return { kind: 'drop', effect: hasOthers ? 'dropped' : 'destroyed', hasOthers };
}

/** A claimant that comes with other content than the unit has, and has not claimed it before, has an old copy if others claim it. */
function decideHold(of: ClaimCase, change: HoldChange): ClaimDecision {
  const { owner, fileKey, seen, hasOthers } = of;
  const { before, claim } = seen;
  const isNews = change.isExplicit === true || claim?.record.file !== fileKey;
  if (!isNews) return claimOnly(of, change, 'unchanged');
  if (change.isBaseline === true && claim !== undefined) return claimOnly(of, change, 'behind');
  if (before === undefined) return changeUnit(of, change, false);
  const { record } = before;
  if (record.owner !== owner) return { kind: 'settled', outcome: { kind: 'owned', owner: record.owner } };
  if (!isOtherContent({ content: change.content, fileKey }, record)) return claimOnly(of, change, 'unchanged');
  const isFirstSight = claim === undefined && change.isExplicit !== true;
  if (!isFirstSight) return changeUnit(of, change, false);
  if (hasOthers === undefined) return { kind: 'ask-others' };
  return hasOthers ? claimOnly(of, change, 'behind') : changeUnit(of, change, true);
}

function claimOnly({ fileKey, seen }: ClaimCase, { source }: HoldChange, effect: ClaimOutcome): ClaimDecision {
  const { record } = seen.claim ?? {};
  if (record?.file === fileKey && record.source === source) return { kind: 'settled', outcome: effect };
  return { kind: 'hold', effect, claim: { file: fileKey, source }, unit: undefined, isAlone: false };
}

function changeUnit(of: ClaimCase, { content, desiredState, source }: HoldChange, isAlone: boolean): ClaimDecision {
  const { name, owner, fileKey, seen } = of;
  const unit = decideUnitChange(name, {
    change: { content, desiredState: unitNameParts(name).isTemplate ? 'inactive' : desiredState },
    fileKey,
    owner,
    ...(seen.before === undefined ? {} : { before: seen.before }),
  });
  // Not reached: the content is another one and the unit the owner's.
  if (unit.kind === 'refuse') return { kind: 'settled', outcome: 'rivals' };
  return { kind: 'hold', effect: unit.effect, claim: { file: fileKey, source }, unit, isAlone };
}
