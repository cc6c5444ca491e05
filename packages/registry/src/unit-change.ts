import type { LaunchState, MachineId } from '@flotilla/cluster';
import { type OwnerName, type UnitHash, type UnitName, unitNameParts } from '@flotilla/unit';
import type { StateRecord, UnitRecord } from './records.js';
import type { Revision } from './store.js';

/** A checked unit file. */
export interface UnitContent {
  /** What the unit file is kept as. */
  readonly file: Uint8Array;
  readonly hash: UnitHash;
  readonly isGlobal: boolean;
  /** Whether `file` is what somebody wrote, to be kept even if only comments differ from what is stored. */
  readonly isVerbatim: boolean;
}

/** What somebody wants of a unit; what is absent stays as it is. */
export interface UnitChange {
  readonly content?: UnitContent | undefined;
  readonly desiredState?: LaunchState | undefined;
  /** The unit runs on this machine: it is only made, there, and not changed if there is one. @default anywhere */
  readonly runsOn?: MachineId | undefined;
}

/** What a change depends on, read at one revision. */
export interface UnitBefore {
  readonly record: UnitRecord;
  readonly uid: Revision;
  readonly placement: MachineId | undefined;
  /** The unit's states; these and `placement` matter only if {@link dependsOnStates} says so. */
  readonly states: ReadonlyMap<MachineId, StateRecord>;
  /** The revision that this is of. */
  readonly readAt: Revision;
}

/** Why a change is not made: `absent` and without content, `present` and only to be made, nothing asked, or a template is to run. */
export type UnitChangeRefusal = 'absent' | 'present' | 'nothing-asked' | 'template' | Owned;

/** The unit's content and existence are somebody else's. */
export interface Owned {
  readonly kind: 'owned';
  /** `undefined`: whoever uses the API. */
  readonly owner: OwnerName | undefined;
}

/** What a change that is made is: new, new content, another desired state (or only comments), or what is so already. */
export type UnitChangeEffect = 'created' | 'replaced' | 'updated' | 'unchanged';

export type UnitChangeDecision =
  | { readonly kind: 'refuse'; readonly why: UnitChangeRefusal }
  /** `file` is absent if the one that is stored stays. */
  | {
      readonly kind: 'write';
      readonly effect: UnitChangeEffect;
      readonly record: UnitRecord;
      readonly file: Uint8Array | undefined;
    };

/** What {@link decideUnitChange} decides on. */
export interface ChangeCase {
  readonly change: UnitChange;
  /** The SHA-256 of the content's file, in hex. */
  readonly fileKey: string;
  /** Absent if there is no such unit. */
  readonly before?: UnitBefore;
  /** On whose behalf. Only the unit's owner may give it other content. @default whoever uses the API */
  readonly owner?: OwnerName;
}

/**
 * What a change makes of a unit (`before` is absent if there is none). New content without a desired state is
 * `inactive`, as with fleet; the same content again changes no more than the desired state and the comments.
 */
export function decideUnitChange(name: UnitName, { change, fileKey, before, owner }: ChangeCase): UnitChangeDecision {
  const { content, desiredState, runsOn } = change;
  if (before === undefined && content === undefined) return { kind: 'refuse', why: 'absent' };
  if (before !== undefined && runsOn !== undefined) return { kind: 'refuse', why: 'present' };
  const refusal = before && content && isOtherContent({ content, fileKey }, before.record) && findOwned(before, owner);
  if (refusal) return { kind: 'refuse', why: refusal };
  if (content !== undefined && content.hash !== before?.record.hash) {
    if (isTemplateAskedToRun(name, desiredState)) return { kind: 'refuse', why: 'template' };
    return {
      kind: 'write',
      effect: before === undefined ? 'created' : 'replaced',
      record: {
        hash: content.hash,
        file: fileKey,
        desiredState: desiredState ?? 'inactive',
        order: desiredState === 'launched' ? nextOrder(before) : (before?.record.order ?? 0),
        isGlobal: content.isGlobal,
        ...(runsOn === undefined || content.isGlobal ? {} : { runsOn }),
        ...(owner === undefined ? {} : { owner }),
      },
      file: content.file,
    };
  }
  if (before === undefined) return { kind: 'refuse', why: 'absent' };
  const hasNewFile = content !== undefined && isOtherContent({ content, fileKey }, before.record);
  if (desiredState === undefined && !hasNewFile) return { kind: 'refuse', why: 'nothing-asked' };
  if (isTemplateAskedToRun(name, desiredState)) return { kind: 'refuse', why: 'template' };
  const record = changedRecord(before.record);
  const isOrder = desiredState === 'launched' ? needsAnotherStart(before) : isStop(change) && needsStop(before);
  const order = isOrder ? nextOrder(before) : record.order;
  const isSame = order === record.order && (desiredState ?? record.desiredState) === record.desiredState;
  return {
    kind: 'write',
    effect: isSame && !hasNewFile ? 'unchanged' : 'updated',
    record: {
      ...record,
      ...(hasNewFile ? { file: fileKey } : {}),
      desiredState: desiredState ?? record.desiredState,
      order,
    },
    file: hasNewFile ? content.file : undefined,
  };
}

/** A unit's record without what only stands as long as nobody changes the unit. */
export function changedRecord({ runsOn: _, isParting: __, ...record }: UnitRecord): UnitRecord {
  return record;
}

/** Whether a unit's content, the comments of one that was written by somebody included, is another one than `content`. */
export function isOtherContent(
  { content, fileKey }: { readonly content: UnitContent; readonly fileKey: string },
  { hash, file }: UnitRecord,
): boolean {
  return content.hash !== hash || (content.isVerbatim && fileKey !== file);
}

function findOwned({ record }: UnitBefore, owner: OwnerName | undefined): Owned | undefined {
  return record.owner === owner ? undefined : { kind: 'owned', owner: record.owner };
}

/** Whether what a change makes of a unit depends on the unit's placement and states, too. */
export function dependsOnStates({ content, desiredState }: UnitChange, record: UnitRecord): boolean {
  const isSameContent = content === undefined || content.hash === record.hash;
  return isSameContent && desiredState !== 'inactive' && desiredState === record.desiredState;
}

/**
 * Whether asking for `launched` is to start the unit once more. Not while it runs, and not while an earlier order has
 * yet to be carried out: that one will start it. A global unit is started again only if it runs nowhere.
 */
export function needsAnotherStart(before: UnitBefore): boolean {
  const { record } = before;
  if (record.desiredState !== 'launched') return true;
  const rows = rowsOf(before);
  return rows.length > 0 && rows.every((state) => state.order >= record.order && !runningStates.has(state.active));
}

/** Who submits a file for a unit that is to be loaded does not ask for a stop of what others have started. */
function isStop({ content, desiredState }: UnitChange): boolean {
  return content === undefined && desiredState === 'loaded';
}

/** Whether asking for `loaded` is to stop the unit once more: it is to be stopped already, but somebody has started it on its host. */
function needsStop(before: UnitBefore): boolean {
  return before.record.desiredState === 'loaded' && rowsOf(before).some(({ active }) => runningStates.has(active));
}

function rowsOf({ record, uid, placement, states }: UnitBefore): readonly StateRecord[] {
  const own = [...states].filter(([machine, row]) => row.uid === uid && (record.isGlobal || machine === placement));
  return own.map(([, row]) => row);
}

/**
 * The number of the next order to a unit. A global one may have orders for single machines, which its record does not tell of:
 * these were given before `readAt`, and their numbers are no larger than it.
 */
export function nextOrder(before: Pick<UnitBefore, 'record' | 'readAt'> | undefined): number {
  if (before === undefined) return 1;
  const { order, isGlobal } = before.record;
  return (isGlobal ? Math.max(order, before.readAt) : order) + 1;
}

const runningStates: ReadonlySet<string> = new Set(['active', 'activating', 'reloading']);

function isTemplateAskedToRun(name: UnitName, desiredState: LaunchState | undefined): boolean {
  return desiredState !== undefined && desiredState !== 'inactive' && unitNameParts(name).isTemplate;
}

/** Whether two records of a unit say the same. */
export function isSameRecord(one: UnitRecord, other: UnitRecord): boolean {
  return (
    one.hash === other.hash &&
    one.file === other.file &&
    one.desiredState === other.desiredState &&
    one.order === other.order &&
    one.isGlobal === other.isGlobal &&
    one.runsOn === other.runsOn &&
    one.owner === other.owner
  );
}
