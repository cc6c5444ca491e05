import type { UnitName } from '@flotilla/unit';
import { chunks } from './chunks.js';
import { keys } from './keys.js';
import type { RegistryAccess } from './registry-access.js';
import { maxTransactionSize, type Operation, type Store, StoreError } from './store.js';
import type { UnitResult } from './unit-edit.js';

export type DeleteUnitOutcome = 'deleted' | 'absent';

/** A look and two deletions each: what {@link deletion} makes. */
const mostDeletions = Math.floor(maxTransactionSize / 3);

/**
 * Deletes a unit; the leader sees to the rest. `absent` if there is none. One transaction.
 *
 * @throws StoreError; `uncertain` only if the unit may or may not have been deleted.
 */
export async function deleteUnit(access: RegistryAccess, name: UnitName): Promise<DeleteUnitOutcome> {
  const result = (await deleteUnits(access, [name])).get(name);
  if (result?.kind === 'settled') return result.outcome;
  throw result?.error;
}

/**
 * {@link deleteUnit} for many units, no two of one name: one transaction for each 42.
 *
 * @returns One result for each of `names`; never rejects because of the store.
 */
export async function deleteUnits(
  { store }: Pick<RegistryAccess, 'store'>,
  names: readonly UnitName[],
): Promise<ReadonlyMap<UnitName, UnitResult<DeleteUnitOutcome>>> {
  const results = await Promise.all(chunks(names, mostDeletions).map((chunk) => deleteChunk(store, chunk)));
  return new Map(results.flat());
}

type NamedResult = readonly [UnitName, UnitResult<DeleteUnitOutcome>];

async function deleteChunk(store: Store, names: readonly UnitName[]): Promise<readonly NamedResult[]> {
  try {
    const { ranges } = await store.transact({ success: names.flatMap(deletion) });
    return names.map((name, at) => settled(name, ranges[at]?.kvs.length === 0 ? 'absent' : 'deleted'));
  } catch (error) {
    const failed = (name: UnitName): NamedResult => [name, { kind: 'failed', error }];
    if (!(error instanceof StoreError && error.kind === 'uncertain')) return names.map(failed);
    try {
      const { ranges } = await store.transact({ success: names.map(look) });
      return names.map((name, at) => (ranges[at]?.kvs.length === 0 ? settled(name, 'deleted') : failed(name)));
    } catch {
      // That the deletion may have taken place weighs more than why that can't be seen.
      return names.map(failed);
    }
  }
}

function settled(name: UnitName, outcome: DeleteUnitOutcome): NamedResult {
  return [name, { kind: 'settled', outcome }];
}

function deletion(name: UnitName): readonly Operation[] {
  return [look(name), { kind: 'delete', from: keys.unit(name) }, { kind: 'delete', from: keys.global(name) }];
}

function look(name: UnitName): Operation {
  return { kind: 'range', from: keys.unit(name), keysOnly: true };
}
