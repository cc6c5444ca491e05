import type { MachineId } from '@flotilla/cluster';
import type { OwnerName, UnitName } from '@flotilla/unit';
import type { RegistryAccess } from './registry-access.js';

/** What becomes, or would become, of the units that a machine claimed for one owner. */
export interface ForgottenDirectory {
  readonly owner: OwnerName;
  readonly destroyed: readonly UnitName[];
  /** How many others claim as well, or are not this owner's. */
  readonly kept: number;
}

/** What came of forgetting. `present`: the machine is in the cluster. `none`: it claims nothing, and has no directory. */
export type ForgetOutcome =
  | { readonly kind: 'present' | 'none' }
  | { readonly kind: 'forgotten'; readonly directories: readonly ForgottenDirectory[] };

/** Drops all claims of a machine that does not come back. */
export function forgetClaims(
  _access: RegistryAccess,
  _machine: MachineId,
  _options: { readonly isDryRun: boolean },
): Promise<ForgetOutcome> {
  return Promise.reject(new Error('yet to come'));
}
