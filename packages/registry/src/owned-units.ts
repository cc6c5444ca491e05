import type { OwnerName, UnitName } from '@flotilla/unit';
import type { Claimant } from './claimant.js';
import type { ClaimRecord } from './directory-records.js';
import type { RegistryAccess } from './registry-access.js';

/** A unit that somebody claims for an owner. */
export interface OwnedUnit {
  readonly name: UnitName;
  /** SHA-256 of the unit's file, in hex; `undefined` if there is no such unit, or it is not this owner's. */
  readonly file: string | undefined;
  /** By claimant. */
  readonly claimants: readonly ({ readonly claimant: Claimant } & ClaimRecord)[];
}

/** The units that are claimed for an owner, by name, with who claims them. */
export function readOwnedUnits(_access: RegistryAccess, _owner: OwnerName): Promise<readonly OwnedUnit[]> {
  return Promise.reject(new Error('yet to come'));
}
