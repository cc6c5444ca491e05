import type { UnitName } from '@flotilla/unit';
import { chunks } from './chunks.js';
import { keys } from './keys.js';
import type { UnitRecord } from './records.js';
import { findRecord, type RegistryAccess } from './registry-access.js';
import { type KeyValue, maxTransactionSize, type Operation, type RangeResult, StoreError } from './store.js';
import type { Owned } from './unit-change.js';
import type { UnitResult } from './unit-edit.js';

/** What came of a deletion; `conflict`: others kept changing the unit meanwhile. */
export type DeleteUnitOutcome = 'deleted' | 'absent' | 'conflict' | Owned;

/** Two deletions each: what {@link deletion} makes. */
const mostDeletions = maxTransactionSize / 2;

/** Tries against other writers of the same unit. */
const mostAttempts = 8;

/**
 * Deletes a unit; the leader sees to the rest. `absent` if there is none, refused if it has an owner. Two transactions.
 *
 * @throws StoreError; `uncertain` only if the unit may or may not have been deleted.
 */
export async function deleteUnit(access: RegistryAccess, name: UnitName): Promise<DeleteUnitOutcome> {
  const result = (await deleteUnits(access, [name])).get(name);
  if (result?.kind === 'settled') return result.outcome;
  throw result?.error;
}

/**
 * {@link deleteUnit} for many units, no two of one name: two transactions for each 64.
 *
 * @returns One result for each of `names`; never rejects because of the store.
 */
export async function deleteUnits(
  access: RegistryAccess,
  names: readonly UnitName[],
): Promise<ReadonlyMap<UnitName, UnitResult<DeleteUnitOutcome>>> {
  const results = await Promise.all(chunks(names, mostDeletions).map((chunk) => readAndDelete(access, chunk)));
  return new Map(results.flat());
}

type NamedResult = readonly [UnitName, UnitResult<DeleteUnitOutcome>];

async function readAndDelete(access: RegistryAccess, names: readonly UnitName[]): Promise<readonly NamedResult[]> {
  try {
    const { ranges } = await access.store.transact({ success: names.map(look) });
    return await deleteFound(access, toFound(names, ranges), 0);
  } catch (error) {
    return names.map((name) => failed(name, error));
  }
}

interface FoundUnit {
  readonly name: UnitName;
  readonly kv: KeyValue | undefined;
}

/** Those that have become others meanwhile go on by themselves, so that they don't hold up the rest. */
async function deleteFound(
  access: RegistryAccess,
  found: readonly FoundUnit[],
  attempts: number,
): Promise<readonly NamedResult[]> {
  const settledOnes = found.flatMap((unit) => settle(access, unit));
  const settledNames = new Set(settledOnes.map(([name]) => name));
  const units = found.filter(({ name }) => !settledNames.has(name));
  if (units.length === 0) return settledOnes;
  if (attempts >= mostAttempts) return [...settledOnes, ...units.map(({ name }) => settled(name, 'conflict'))];
  const names = units.map(({ name }) => name);
  try {
    const { succeeded, ranges } = await access.store.transact({
      compares: units.map(({ name, kv }) => ({
        key: keys.unit(name),
        on: 'mod-revision',
        equals: kv?.modRevision ?? 0,
      })),
      success: names.flatMap(deletion),
      failure: names.map(look),
    });
    if (succeeded) return [...settledOnes, ...names.map((name) => settled(name, 'deleted'))];
    const now = toFound(names, ranges);
    const isSame = ({ kv }: FoundUnit, at: number) => kv?.modRevision === units[at]?.kv?.modRevision;
    const parts = [now.filter(isSame), now.filter((unit, at) => !isSame(unit, at))];
    const rest = await Promise.all(parts.map((part) => deleteFound(access, part, attempts + 1)));
    return [...settledOnes, ...rest.flat()];
  } catch (error) {
    const isUncertain = error instanceof StoreError && error.kind === 'uncertain';
    const results = isUncertain ? await readBack(access, names, error) : names.map((name) => failed(name, error));
    return [...settledOnes, ...results];
  }
}

async function readBack(
  { store }: RegistryAccess,
  names: readonly UnitName[],
  error: StoreError,
): Promise<readonly NamedResult[]> {
  try {
    const { ranges } = await store.transact({ success: names.map(look) });
    const units = toFound(names, ranges);
    return units.map(({ name, kv }) => (kv === undefined ? settled(name, 'deleted') : failed(name, error)));
  } catch {
    // That the deletion may have taken place weighs more than why that can't be seen.
    return names.map((name) => failed(name, error));
  }
}

/** What needs no deletion. A record that can't be read has no owner: it can be deleted. */
function settle({ log }: RegistryAccess, { name, kv }: FoundUnit): readonly NamedResult[] {
  if (kv === undefined) return [settled(name, 'absent')];
  const owner = findRecord<UnitRecord>(kv, log)?.owner;
  return owner === undefined ? [] : [settled(name, { kind: 'owned', owner })];
}

function toFound(names: readonly UnitName[], ranges: readonly RangeResult[]): readonly FoundUnit[] {
  return names.map((name, at) => ({ name, kv: ranges[at]?.kvs[0] }));
}

function settled(name: UnitName, outcome: DeleteUnitOutcome): NamedResult {
  return [name, { kind: 'settled', outcome }];
}

function failed(name: UnitName, error: unknown): NamedResult {
  return [name, { kind: 'failed', error }];
}

function deletion(name: UnitName): readonly Operation[] {
  return [
    { kind: 'delete', from: keys.unit(name) },
    { kind: 'delete', from: keys.global(name) },
  ];
}

function look(name: UnitName): Operation {
  return { kind: 'range', from: keys.unit(name) };
}
