import type { LaunchState, MachineId } from '@flotilla/cluster';
import type { OwnerName, UnitName } from '@flotilla/unit';
import { chunks } from './chunks.js';
import { ClaimEdit } from './claim-edit.js';
import {
  type ClaimScene,
  claimReads,
  decodeSeenClaim,
  mostClaimReads,
  readScene,
  readWitnesses,
} from './claim-reads.js';
import type { Claimant } from './claimant.js';
import type { RegistryAccess } from './registry-access.js';
import { StoreError } from './store.js';
import type { Owned, UnitContent } from './unit-change.js';
import type { UnitResult } from './unit-edit.js';
import { toBatches, type UnitWrite, type WriteBatch } from './unit-write.js';

/** Who claims, and for whom. */
export interface ClaimSide {
  readonly owner: OwnerName;
  readonly claimant: Claimant;
}

/** The claimant wants the unit to be there, with this content. */
export interface HoldChange {
  readonly kind: 'hold';
  readonly content: UnitContent;
  /** What is asked of the unit if `content` is new to it. */
  readonly desiredState: LaunchState;
  /** The entry of the folder that it was read from. */
  readonly source: string;
  /** A person's word: compared with the unit, not with what the claimant saw last; it never comes late. @default the claimant's host looked at a folder */
  readonly isExplicit?: true;
  /**
   * The folder is older than the own claim: what it has counts as seen, and the unit stays as it is. Without an own claim it is
   * as any other. @default the folder is what its owner made of it last
   */
  readonly isBaseline?: true;
}

/** The claimant wants nothing to do with the unit any more. */
export interface DropChange {
  readonly kind: 'drop';
  /** A person's word: it holds for a unit of the owner's that nobody claims, too. @default the claimant's host looked at a folder */
  readonly isExplicit?: true;
}

/** What a claimant wants. */
export type ClaimChange = HoldChange | DropChange;

/**
 * What came of it. `created`, `replaced`, `updated`: the unit was changed, and is claimed; `unchanged`: it was so, and is claimed.
 * `behind`: claimed, but others have other content, which stays. {@link Owned}: it is somebody else's; nothing was written.
 * `dropped`: the unit is still claimed by others, or not this owner's, or there is none; `destroyed`: this was the last claim.
 * `rivals`: others kept changing it meanwhile.
 */
export type ClaimOutcome =
  | 'created'
  | 'replaced'
  | 'updated'
  | 'unchanged'
  | 'behind'
  | 'dropped'
  | 'destroyed'
  | 'rivals'
  | Owned;

export interface ChangeClaimsOptions extends ClaimSide {
  /** Nothing is written unless this machine is not in the cluster. */
  readonly onlyIfAbsent?: MachineId;
}

interface EditWrite {
  readonly edit: ClaimEdit;
  readonly write: UnitWrite;
}

/**
 * Says what a claimant wants of units: what its folder has now and had not, and what is gone from there. A unit, its file, its
 * copy for agents and the claim on it are one transaction; each write compares what it was decided on, and is decided anew
 * when others were faster. When the store doesn't answer, what it has is read back.
 *
 * Two transactions for one unit, and one for the claimants; the destruction of a unit that others could claim takes three
 * more. As few as the store's limits allow for many units; one that is refused, or fails, or has rivals, doesn't hold up the
 * others.
 *
 * @returns One result for each of `changes`; never rejects because of the store. A unit fails with FleetError `not-joined` if
 *   the claimant is none ({@link joinDirectory}) and is to hold it, and `machine-present` if `onlyIfAbsent` is there.
 */
export async function changeClaims(
  access: RegistryAccess,
  options: ChangeClaimsOptions,
  changes: ReadonlyMap<UnitName, ClaimChange>,
): Promise<ReadonlyMap<UnitName, UnitResult<ClaimOutcome>>> {
  const results = new Map<UnitName, UnitResult<ClaimOutcome>>();
  let pending = [...changes].map(([name, change]) => new ClaimEdit(name, change, options));
  let scene: ClaimScene | undefined;
  while (pending.length > 0) {
    try {
      scene ??= await readScene(access, options);
    } catch (error) {
      for (const edit of pending) results.set(edit.name, edit.fail(error));
      break;
    }
    const next: Record<'read' | 'read-others', ClaimEdit[]> = { read: [], 'read-others': [] };
    const writes: EditWrite[] = [];
    for (const edit of pending) {
      const step = edit.step(scene);
      if (step.kind === 'write') writes.push({ edit, write: step.write });
      else if (step.kind === 'settled' || step.kind === 'failed') results.set(edit.name, step);
      else next[step.kind].push(edit);
    }
    pending = pending.filter(({ name }) => !results.has(name));
    const { owner } = options;
    const { others } = scene;
    const [isRefused] = await Promise.all([
      writeAll(access, writes),
      ...chunks(next.read, mostClaimReads).map((edits) => read(access, options, edits)),
      readOthers(access, { owner, others }, next['read-others']),
    ]);
    if (isRefused) scene = undefined;
  }
  return results;
}

async function read({ store, log }: RegistryAccess, side: ClaimSide, edits: readonly ClaimEdit[]): Promise<void> {
  const names = edits.map(({ name }) => name);
  await failTogether(edits, async () => {
    const { ranges, revision } = await store.transact({ success: claimReads(side, names) });
    for (const [at, edit] of edits.entries()) {
      const [unit, claim] = [ranges[2 * at]?.kvs ?? [], ranges[2 * at + 1]?.kvs ?? []];
      // A record that can't be read is that unit's trouble alone.
      await failTogether([edit], async () =>
        edit.see(decodeSeenClaim(edit.name, { unit, claim, readAt: revision }, log)),
      );
    }
  });
}

async function readOthers(
  access: RegistryAccess,
  whose: { readonly owner: OwnerName; readonly others: readonly Claimant[] },
  edits: readonly ClaimEdit[],
): Promise<void> {
  const names = edits.map(({ name }) => name);
  await failTogether(edits, async () => {
    const witnesses = await readWitnesses(access, whose, names);
    for (const edit of edits) edit.seeOthers(witnesses.get(edit.name) ?? 'none');
  });
}

async function failTogether(edits: readonly ClaimEdit[], act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    for (const edit of edits) edit.fail(error);
  }
}

/** Whether one of the transactions was refused: what they all rely on may have changed. */
async function writeAll(access: RegistryAccess, writes: readonly EditWrite[]): Promise<boolean> {
  const answers = await Promise.all(toBatches(writes).map((batch) => write(access, batch)));
  return answers.includes('refused');
}

async function write({ store }: RegistryAccess, { writes, compares, operations }: WriteBatch<EditWrite>) {
  try {
    const { succeeded, revision } = await store.transact({ compares, success: operations });
    for (const { edit } of writes) succeeded ? edit.succeed(revision) : edit.refuse();
    return succeeded ? 'done' : 'refused';
  } catch (error) {
    const isUncertain = error instanceof StoreError && error.kind === 'uncertain';
    for (const { edit } of writes) isUncertain ? edit.missAnswer(error) : edit.fail(error);
    return 'failed';
  }
}
