import type { OwnerName, UnitName } from '@flotilla/unit';
import type { RegistryAccess } from './registry-access.js';

/** What came of an adoption; `former`: whose it was, `undefined` if the API's users'. `rivals`: others kept changing it. */
export type AdoptOutcome =
  | { readonly kind: 'absent' | 'rivals' }
  | { readonly kind: 'adopted' | 'same'; readonly former: OwnerName | undefined };

/** Gives a unit to another owner, or to those who use the API. */
export function adoptUnit(_access: RegistryAccess, _name: UnitName, _owner?: OwnerName): Promise<AdoptOutcome> {
  return Promise.reject(new Error('yet to come'));
}
