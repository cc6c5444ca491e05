import { createHash } from 'node:crypto';
import type { FolderUnit } from '@flotilla/folder';
import type { UnitEntity } from '@flotilla/schema';
import { hashUnitFile, isUnitName, type UnitName } from '@flotilla/unit';
import { storedFile } from './unit-content.js';

/** What is known before anything is changed. */
export interface ApplyInput {
  /** What the paths hold. */
  readonly files: ReadonlyMap<UnitName, FolderUnit>;
  /** The same units as they are registered, and those of `claims`. */
  readonly stored: ReadonlyMap<string, UnitEntity>;
  /** On whose behalf; `undefined`: the units belong to nobody. */
  readonly owner: string | undefined;
  /**
   * Units that were applied for this owner, with whoever else has them in a directory of that name: those without a file are
   * to go. Empty if nothing is to be destroyed.
   */
  readonly claims: ReadonlyMap<string, readonly string[]>;
}

/**
 * What becomes of a unit. `changed` also stands for comments; `kept`: it is no longer applied, and that is all, because a
 * host's directory of that name has it, somebody else owns it by now, or it is gone; `conflict`: somebody else owns it.
 */
export type ApplyAction = 'created' | 'changed' | 'unchanged' | 'destroyed' | 'kept' | 'conflict';

/** What becomes of one unit. */
export interface ApplyStep {
  readonly name: UnitName;
  readonly action: ApplyAction;
  /** Absent if it is to go. */
  readonly file?: FolderUnit;
  /** Absent if it is not registered. */
  readonly stored?: UnitEntity;
  /** Of a change: only comments and blanks differ, so that no copy is replaced. */
  readonly isCommentOnly?: true;
  /** Of what is kept: the hosts whose directory has it. */
  readonly holders?: readonly string[];
}

/** All of it. */
export interface ApplyPlan {
  /** In the order in which it is done: templates, then other units, each by name, then what goes. */
  readonly steps: readonly ApplyStep[];
  /** How many units were applied for this owner and are still there. */
  readonly owned: number;
}

/** Decides what becomes of each unit. */
export function decideApply(input: ApplyInput): ApplyPlan {
  const files = [...input.files.values()].sort(inOrder);
  const gone = [...input.claims.keys()].sort().flatMap((name) => decideGone(input, name) ?? []);
  const isOwned = (name: string) => isOwn(input, input.stored.get(name));
  return {
    steps: [...files.map((file) => decideFile(input, file)), ...gone],
    owned: [...input.claims.keys()].filter(isOwned).length,
  };
}

/** Directories are held to the same. */
const fewestForBrake = 4;

/** Whether so many would be destroyed that somebody may have named the wrong folder. */
export function destroysMost({ steps, owned }: ApplyPlan): boolean {
  const destroyed = steps.filter(({ action }) => action === 'destroyed').length;
  return owned >= fewestForBrake && 2 * destroyed > owned;
}

/** How many steps there are of each kind. */
export function countActions(steps: readonly Pick<ApplyStep, 'action'>[]): Record<ApplyAction, number> {
  const counts = { created: 0, changed: 0, unchanged: 0, destroyed: 0, kept: 0, conflict: 0 };
  for (const { action } of steps) counts[action]++;
  return counts;
}

function decideFile(input: ApplyInput, file: FolderUnit): ApplyStep {
  const { name } = file;
  const stored = input.stored.get(name);
  if (stored === undefined) return { name, action: 'created', file };
  const isSame = isSameFile(file, stored);
  // Without an owner nothing is sent of what is the same, so that it does not matter whose it is.
  if (isSame && input.owner === undefined) return { name, action: 'unchanged', file, stored };
  if (!isOwn(input, stored)) return { name, action: 'conflict', file, stored };
  if (isSame) return { name, action: 'unchanged', file, stored };
  const isCommentOnly = hashUnitFile(storedFile(stored)) === file.hash;
  return { name, action: 'changed', file, stored, ...(isCommentOnly && { isCommentOnly }) };
}

function decideGone(input: ApplyInput, name: string): ApplyStep | undefined {
  if (!isUnitName(name) || input.files.has(name)) return undefined;
  const stored = input.stored.get(name);
  const holders = input.claims.get(name) ?? [];
  if (stored === undefined) return { name, action: 'kept' };
  if (!isOwn(input, stored)) return { name, action: 'kept', stored };
  return holders.length > 0 ? { name, action: 'kept', stored, holders } : { name, action: 'destroyed', stored };
}

function isOwn({ owner }: ApplyInput, stored: UnitEntity | undefined): boolean {
  return stored !== undefined && stored.owner === owner;
}

/** A server that does not say which bytes it has leaves the content to go by. */
function isSameFile({ bytes, hash }: FolderUnit, stored: UnitEntity): boolean {
  if (stored.fileHash !== undefined) return stored.fileHash === createHash('sha256').update(bytes).digest('hex');
  if (stored.file !== undefined) return Buffer.from(stored.file).equals(bytes);
  return hashUnitFile(storedFile(stored)) === hash;
}

function inOrder(one: FolderUnit, other: FolderUnit): number {
  if (one.isTemplate !== other.isTemplate) return one.isTemplate ? -1 : 1;
  return one.name < other.name ? -1 : 1;
}
