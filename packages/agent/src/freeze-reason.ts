import { keys, type Store, StoreError, type StoreIdentity } from '@flotilla/registry';
import type { UnitName } from '@flotilla/unit';
import type { Assignment } from './assignment-file.js';
import type { KnownUnit } from './desired.js';

/**
 * Why orders of this store are not to be carried out: it is not, or no longer, the one that this machine belongs to.
 *
 * A store that went back in time stays suspect although its revision rises again, and so does every store if the machine
 * can't say which was its own; for the other reasons the store's present word counts.
 */
export function findFreezeReason(
  { cluster: own, revision, frozen }: Assignment,
  store: StoreIdentity,
): string | undefined {
  if (own === undefined) return frozen;
  if (store.cluster === undefined) return 'the store has no cluster record any more';
  if (store.cluster.uuid !== own) return `the store belongs to cluster ${store.cluster.uuid}, this machine to ${own}`;
  // The first reason stays: it is what a person is shown, and answers to.
  if (frozen !== undefined || store.revision >= revision) return frozen;
  return `the store is at revision ${store.revision} and was at ${revision}`;
}

/** Whether a reason to be frozen outlives a restart of the daemon. */
export function isLasting(store: StoreIdentity, own: string | undefined): boolean {
  return store.cluster?.uuid === own;
}

/**
 * Why a store is an older copy of itself although its revision is high enough, because others have written to it already:
 * its history lacks a unit that it had when this machine was told of it. The youngest of `missing` is looked for, at the
 * revision that it was made at; what is older than all history can't be.
 *
 * @param missing Units that this machine was told to run, and that the store has no order for.
 * @throws StoreError
 */
export async function findLoss(store: Store, missing: ReadonlyMap<UnitName, KnownUnit>): Promise<string | undefined> {
  const [youngest] = [...missing].sort(([, one], [, other]) => other.uid - one.uid);
  const [name, { uid }] = youngest ?? [undefined, { uid: 0 }];
  if (name === undefined || uid === 0) return undefined;
  try {
    const { kvs } = await store.range({ from: keys.unit(name), revision: uid, keysOnly: true });
    return kvs.length > 0 ? undefined : `the store has never had ${name}, which it had at revision ${uid}`;
  } catch (error) {
    if (error instanceof StoreError && error.kind === 'compacted') return undefined;
    throw error;
  }
}
