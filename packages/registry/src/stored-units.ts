import type { MachineId } from '@flotilla/cluster';
import { FleetError } from '@flotilla/errors';
import type { UnitName } from '@flotilla/unit';
import { chunks } from './chunks.js';
import { keys } from './keys.js';
import { decodeRecord, type PlacementRecord, type UnitRecord } from './records.js';
import { type KeyValue, maxTransactionSize, type Revision, type Store } from './store.js';

/** What the store says of a unit: nothing, what nobody can read, or what it is and where it belongs. */
export type StoredUnit =
  | { readonly kind: 'absent' }
  | { readonly kind: 'unreadable' }
  | {
      readonly kind: 'there';
      readonly record: UnitRecord;
      /** Create revision of its record. */
      readonly uid: Revision;
      /** `undefined` if it is placed nowhere. */
      readonly placement: MachineId | undefined;
    };

/** Two reads a unit. */
const unitsPerRead = maxTransactionSize / 2;

/**
 * What the store says of each of `names`, 64 to a transaction.
 *
 * @throws StoreError if the store can't be reached.
 */
export async function readStoredUnits(store: Store, names: readonly UnitName[]): Promise<Map<UnitName, StoredUnit>> {
  const units = new Map<UnitName, StoredUnit>();
  for (const part of chunks(names, unitsPerRead)) {
    const { ranges } = await store.transact({
      success: part.flatMap((name) =>
        [keys.unit(name), keys.placement(name)].map((from) => ({ kind: 'range', from }) as const),
      ),
    });
    for (const [index, name] of part.entries())
      units.set(name, toStoredUnit(ranges[2 * index]?.kvs[0], ranges[2 * index + 1]?.kvs[0]));
  }
  return units;
}

function toStoredUnit(unit: KeyValue | undefined, placed: KeyValue | undefined): StoredUnit {
  if (unit === undefined) return { kind: 'absent' };
  try {
    const record = decodeRecord<UnitRecord>(unit.key, unit.value);
    const placement = placed && decodeRecord<PlacementRecord>(placed.key, placed.value).machine;
    return { kind: 'there', record, uid: unit.createRevision, placement };
  } catch (error) {
    if (error instanceof FleetError) return { kind: 'unreadable' };
    throw error;
  }
}
