import type { StoreIdentity } from '@flotilla/registry';
import type { Assignment } from './assignment-file.js';

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
