import type { OwnerName, UnitName } from '@flotilla/unit';
import { ownerPut } from './directory-hosts.js';
import { keys } from './keys.js';
import type { RegistryAccess } from './registry-access.js';
import { type Revision, StoreError } from './store.js';
import { decodeUnit } from './unit-reader.js';
import { toUnitWrite } from './unit-write.js';

/** What came of an adoption; `former`: whose it was, `undefined` if the API's users'. `rivals`: others kept changing it. */
export type AdoptOutcome =
  | { readonly kind: 'absent' | 'rivals' }
  | { readonly kind: 'adopted' | 'same'; readonly former: OwnerName | undefined };

/** Tries against other writers of the same unit. */
const mostAttempts = 8;

/**
 * Gives a unit to another owner, or, without one, to those who use the API. Its content and what is asked of it stay, and so do all
 * claims. Those who have a file of its name are told: {@link keys.directoryOwner}.
 *
 * One read, and one transaction that writes.
 *
 * @throws StoreError; `uncertain` only if the unit may or may not have been adopted.
 * @throws FleetError `bad-record` if what is stored under the name can't be read.
 */
export async function adoptUnit(access: RegistryAccess, name: UnitName, owner?: OwnerName): Promise<AdoptOutcome> {
  let unanswered: { readonly error: StoreError; readonly former: OwnerName | undefined } | undefined;
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    const found = await find(access, name).catch((error: unknown) => {
      throw unanswered?.error ?? error;
    });
    if (found === undefined) return { kind: 'absent' };
    const former = found.record.owner;
    if (former === owner)
      return unanswered === undefined ? { kind: 'same', former } : { kind: 'adopted', former: unanswered.former };
    try {
      if (await write(access, found, owner)) return { kind: 'adopted', former };
    } catch (error) {
      if (!(error instanceof StoreError && error.kind === 'uncertain')) throw error;
      unanswered = { error, former };
    }
  }
  if (unanswered !== undefined) throw unanswered.error;
  return { kind: 'rivals' };
}

type Found = ReturnType<typeof decodeUnit> & { readonly modRevision: Revision; readonly readAt: Revision };

async function find({ store }: RegistryAccess, name: UnitName): Promise<Found | undefined> {
  const { kvs, revision } = await store.range({ from: keys.unit(name) });
  const [kv] = kvs;
  return kv && { ...decodeUnit(name, kv), modRevision: kv.modRevision, readAt: revision };
}

/** Whether it was done; else the unit is another one by now. */
async function write({ store }: RegistryAccess, found: Found, owner: OwnerName | undefined): Promise<boolean> {
  const { owner: _, ...rest } = found.record;
  const { isParting: __, ...record } = owner === undefined ? rest : { ...rest, owner };
  const before = { ...found, placement: undefined, states: new Map() };
  const decision = { kind: 'write', effect: 'updated', record, file: undefined } as const;
  const { compares, operations } = toUnitWrite(found.name, { before, decision });
  const success = owner === undefined ? operations : [...operations, ownerPut(owner)];
  return (await store.transact({ compares, success })).succeeded;
}
