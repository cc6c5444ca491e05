import type { OwnerName, UnitName } from '@flotilla/unit';
import { applyClaimant } from './claimant.js';
import type { ClaimSide } from './claims.js';
import type { ClaimRecord, DirectoryHostRecord, DirectoryOwnerRecord } from './directory-records.js';
import { keys, parseKey, ranges } from './keys.js';
import { readWholeRange } from './page.js';
import { encodeRecord } from './records.js';
import { findRecord, type RegistryAccess } from './registry-access.js';
import type { Operation } from './store.js';

/** How one claimant fares with a directory. */
export interface KnownDirectoryHost extends ClaimSide {
  readonly record: DirectoryHostRecord;
}

/**
 * What a claimant last saw of each unit that it claims. A claim that can't be read is there with nothing seen.
 *
 * @throws StoreError
 */
export async function readClaims(
  { store, log }: RegistryAccess,
  { owner, claimant }: ClaimSide,
): Promise<ReadonlyMap<UnitName, ClaimRecord>> {
  const claims = new Map<UnitName, ClaimRecord>();
  for (const kv of await readWholeRange(store, ranges.claimsOf(owner, claimant))) {
    const parsed = parseKey(kv.key);
    if (parsed?.kind === 'claim') claims.set(parsed.name, findRecord<ClaimRecord>(kv, log) ?? { file: '', source: '' });
  }
  return claims;
}

/**
 * Makes a claimant one of those whose claims keep an owner's units, if it is not; {@link changeClaims} takes claims of no other.
 *
 * @returns The record that was there, if there was one; `undefined` if `record` is there now, or the one there can't be read.
 * @throws StoreError
 */
export async function joinDirectory(
  { store, log }: RegistryAccess,
  { owner, claimant }: ClaimSide,
  record: DirectoryHostRecord,
): Promise<DirectoryHostRecord | undefined> {
  const key = keys.directoryHost(owner, claimant);
  const { succeeded, ranges: answers } = await store.transact({
    compares: [{ key, on: 'create-revision', equals: 0 }],
    success: [{ kind: 'put', key, value: encodeRecord(record) }, ownerPut(owner)],
    failure: [{ kind: 'range', from: key }],
  });
  return succeeded ? undefined : findRecord<DirectoryHostRecord>(answers[0]?.kvs[0], log);
}

/** Says anew how a claimant fares; not of one that has not joined. @throws StoreError */
export async function writeDirectoryHost(
  { store }: RegistryAccess,
  { owner, claimant }: ClaimSide,
  record: DirectoryHostRecord,
): Promise<'written' | 'absent'> {
  const key = keys.directoryHost(owner, claimant);
  const { succeeded } = await store.transact({
    compares: [{ key, on: 'create-revision', equals: 0 }],
    success: [],
    failure: [{ kind: 'put', key, value: encodeRecord(record) }],
  });
  return succeeded ? 'absent' : 'written';
}

/** Makes a claimant none any more, if it claims nothing; what it was told is gone, too. @throws StoreError */
export async function removeDirectoryHost(
  { store }: RegistryAccess,
  { owner, claimant }: ClaimSide,
): Promise<'removed' | 'claims'> {
  const row = keys.directoryHost(owner, claimant);
  // Nearly always there is nothing to do, and a read is no burden on the other members of etcd.
  if ((await store.range({ from: row, keysOnly: true })).kvs.length === 0) return 'removed';
  const { from, to } = ranges.claimsOf(owner, claimant);
  const { succeeded } = await store.transact({
    compares: [{ key: from, to, on: 'create-revision', equals: 0 }],
    success: [
      { kind: 'delete', from: row },
      ...(claimant === applyClaimant ? [] : [{ kind: 'delete', from: keys.directoryOrder(owner, claimant) } as const]),
    ],
  });
  return succeeded ? 'removed' : 'claims';
}

/** All claimants, or those of one owner, by owner and claimant. @throws StoreError */
export async function listDirectories(
  { store, log }: RegistryAccess,
  owner?: OwnerName,
): Promise<readonly KnownDirectoryHost[]> {
  const range = owner === undefined ? ranges.directoryHosts : ranges.directoryHostsOf(owner);
  return (await readWholeRange(store, range)).flatMap((kv) => {
    const parsed = parseKey(kv.key);
    const record = findRecord<DirectoryHostRecord>(kv, log);
    if (parsed?.kind !== 'directory-host' || record === undefined) return [];
    return [{ owner: parsed.owner, claimant: parsed.claimant, record }];
  });
}

/** Tells those who follow owners that there is something new. */
export function ownerPut(owner: OwnerName): Operation {
  const record: DirectoryOwnerRecord = {};
  return { kind: 'put', key: keys.directoryOwner(owner), value: encodeRecord(record) };
}
