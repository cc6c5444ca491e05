import type { MachineId } from '@flotilla/cluster';
import { readUnitClaims, type Store, type UnitClaim } from '@flotilla/registry';
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
  const claims = await readUnitClaims(store, names);
  return new Map([...claims].map(([name, claim]) => [name, findVerdict(machine, claim)]));
}

function findVerdict(machine: MachineId, claim: UnitClaim): Verdict {
  if (claim.kind === 'absent') return 'gone';
  if (claim.kind === 'unreadable') return 'unreadable';
  if (claim.record.desiredState === 'inactive') return 'gone';
  if (claim.placement === undefined) return 'waiting';
  return claim.placement === machine ? 'placed-here' : 'gone';
}
