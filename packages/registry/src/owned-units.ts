import type { OwnerName, UnitName } from '@flotilla/unit';
import type { Claimant } from './claimant.js';
import type { ClaimRecord } from './directory-records.js';
import { keys, parseKey, ranges } from './keys.js';
import { getAll, readWholeRange } from './page.js';
import type { UnitRecord } from './records.js';
import { findRecord, type RegistryAccess } from './registry-access.js';

/** A unit that somebody claims for an owner. */
export interface OwnedUnit {
  readonly name: UnitName;
  /** SHA-256 of the unit's file, in hex, whosever it is; `undefined` if there is no such unit. */
  readonly file: string | undefined;
  /** By claimant. */
  readonly claimants: readonly ({ readonly claimant: Claimant } & ClaimRecord)[];
}

/**
 * The units that are claimed for an owner, by name, with who claims them. A range of all its claims, and a transaction for each 128
 * units. Claims and units may be read at different revisions.
 *
 * @throws StoreError
 */
export async function readOwnedUnits({ store, log }: RegistryAccess, owner: OwnerName): Promise<readonly OwnedUnit[]> {
  const claimsByUnit = new Map<UnitName, ({ readonly claimant: Claimant } & ClaimRecord)[]>();
  for (const kv of await readWholeRange(store, ranges.claimsOfAll(owner))) {
    const parsed = parseKey(kv.key);
    if (parsed?.kind !== 'claim') continue;
    const { file, source } = findRecord<ClaimRecord>(kv, log) ?? { file: '', source: '' };
    const claims = claimsByUnit.get(parsed.name) ?? [];
    claims.push({ claimant: parsed.claimant, file, source });
    claimsByUnit.set(parsed.name, claims);
  }
  const names = [...claimsByUnit.keys()].sort();
  const units = await getAll(store, names.map(keys.unit));
  return names.map((name) => {
    const record = findRecord<UnitRecord>(units.get(keys.unit(name)), log);
    return { name, file: record?.file, claimants: claimsByUnit.get(name) ?? [] };
  });
}
