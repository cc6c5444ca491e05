import type { MachineId } from '@flotilla/cluster';
import {
  decodeRecord,
  type KeyValue,
  maxTransactionSize,
  type PlacementRecord,
  type Store,
  type UnitRecord,
} from '@flotilla/registry';
import type { UnitName } from '@flotilla/unit';
import { confirmationKeys } from './assignment-view.js';

/** Two reads a unit. */
const unitsPerRead = maxTransactionSize / 2;

/**
 * What the store says of units that a snapshot did not have: `gone` if a unit does not exist, is not wanted, or belongs
 * to another machine; else it `stands`, as the missing record alone is no order.
 */
export async function readVerdicts(
  store: Store,
  machine: MachineId,
  names: readonly UnitName[],
): Promise<Map<UnitName, 'gone' | 'stands'>> {
  const verdicts = new Map<UnitName, 'gone' | 'stands'>();
  for (let start = 0; start < names.length; start += unitsPerRead) {
    const part = names.slice(start, start + unitsPerRead);
    const { ranges } = await store.transact({
      success: part.flatMap((name) => confirmationKeys(name).map((from) => ({ kind: 'range', from }) as const)),
    });
    for (const [index, name] of part.entries()) {
      const [unit, placement] = [ranges[2 * index]?.kvs[0], ranges[2 * index + 1]?.kvs[0]];
      verdicts.set(name, verdictOf(machine, unit, placement));
    }
  }
  return verdicts;
}

function verdictOf(machine: MachineId, unit: KeyValue | undefined, placement: KeyValue | undefined): 'gone' | 'stands' {
  if (unit === undefined) return 'gone';
  if (decodeRecord<UnitRecord>(unit.key, unit.value).desiredState === 'inactive') return 'gone';
  if (placement === undefined) return 'stands';
  return decodeRecord<PlacementRecord>(placement.key, placement.value).machine === machine ? 'stands' : 'gone';
}
