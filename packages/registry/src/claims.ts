import type { LaunchState, MachineId } from '@flotilla/cluster';
import type { OwnerName, UnitName } from '@flotilla/unit';
import type { Claimant } from './claimant.js';
import type { RegistryAccess } from './registry-access.js';
import type { Owned, UnitContent } from './unit-change.js';
import type { UnitResult } from './unit-edit.js';

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
}

/** What a claimant wants: the unit, or nothing to do with it any more. */
export type ClaimChange = HoldChange | { readonly kind: 'drop' };

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

/** Says what a claimant wants of units. */
export function changeClaims(
  _access: RegistryAccess,
  _side: ChangeClaimsOptions,
  _changes: ReadonlyMap<UnitName, ClaimChange>,
): Promise<ReadonlyMap<UnitName, UnitResult<ClaimOutcome>>> {
  return Promise.reject(new Error('yet to come'));
}
