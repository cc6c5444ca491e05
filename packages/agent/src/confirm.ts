import type { MachineId } from '@flotilla/cluster';
import { FleetError } from '@flotilla/errors';
import {
  decodeRecord,
  type KeyValue,
  keys,
  maxTransactionSize,
  type PlacementRecord,
  type Store,
  type UnitRecord,
} from '@flotilla/registry';
import type { UnitName } from '@flotilla/unit';

/**
 * What the store says of a unit that a snapshot did not have. `gone`: it does not exist, is not wanted, or belongs to
 * another machine. Nothing else is an order: it is still placed here, it waits for a machine, or a record can't be read.
 */
export type Verdict = 'gone' | 'placed-here' | 'waiting' | 'unreadable';

/** Two reads a unit. */
const unitsPerRead = maxTransactionSize / 2;

/**
 * A verdict on each of `names`.
 *
 * @throws StoreError if the store can't be reached.
 */
export async function readVerdicts(
  store: Store,
  machine: MachineId,
  names: readonly UnitName[],
): Promise<Map<UnitName, Verdict>> {
  const verdicts = new Map<UnitName, Verdict>();
  for (let start = 0; start < names.length; start += unitsPerRead) {
    const part = names.slice(start, start + unitsPerRead);
    const { ranges } = await store.transact({
      success: part.flatMap((name) =>
        [keys.unit(name), keys.placement(name)].map((from) => ({ kind: 'range', from }) as const),
      ),
    });
    for (const [index, name] of part.entries()) {
      const [unit, placement] = [ranges[2 * index]?.kvs[0], ranges[2 * index + 1]?.kvs[0]];
      verdicts.set(name, findVerdict(machine, unit, placement) ?? 'unreadable');
    }
  }
  return verdicts;
}

/** `undefined`: a record can't be read. */
function findVerdict(
  machine: MachineId,
  unit: KeyValue | undefined,
  placement: KeyValue | undefined,
): Verdict | undefined {
  try {
    if (unit === undefined) return 'gone';
    if (decodeRecord<UnitRecord>(unit.key, unit.value).desiredState === 'inactive') return 'gone';
    if (placement === undefined) return 'waiting';
    const owner = decodeRecord<PlacementRecord>(placement.key, placement.value).machine;
    return owner === machine ? 'placed-here' : 'gone';
  } catch (error) {
    if (error instanceof FleetError) return undefined;
    throw error;
  }
}
