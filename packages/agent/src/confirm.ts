import type { MachineId } from '@flotilla/cluster';
import { readStoredUnits, type Store, type StoredUnit } from '@flotilla/registry';
import type { UnitName } from '@flotilla/unit';

/**
 * What the store says of a unit that a snapshot did not have. `gone`: it does not exist, is not wanted, or belongs to
 * another machine. Nothing else is an order: it is still placed here, it waits for a machine, or a record can't be read.
 */
export type Verdict = 'gone' | 'placed-here' | 'waiting' | 'unreadable';

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
  const stored = await readStoredUnits(store, names);
  return new Map([...stored].map(([name, unit]) => [name, findVerdict(machine, unit)]));
}

function findVerdict(machine: MachineId, stored: StoredUnit): Verdict {
  if (stored.kind === 'absent') return 'gone';
  if (stored.kind === 'unreadable') return 'unreadable';
  if (stored.record.desiredState === 'inactive') return 'gone';
  if (stored.placement === undefined) return 'waiting';
  return stored.placement === machine ? 'placed-here' : 'gone';
}
