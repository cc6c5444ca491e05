import type { MachineId } from '@flotilla/cluster';
import type { OwnerName } from '@flotilla/unit';
import { chunks } from './chunks.js';
import { applyClaimant } from './claimant.js';
import { listDirectories } from './directory-hosts.js';
import type { DirectoryOrderRecord } from './directory-records.js';
import { keys } from './keys.js';
import { encodeRecord } from './records.js';
import { findRecord, type RegistryAccess } from './registry-access.js';
import { maxTransactionSize, type Operation, type Revision } from './store.js';

/** What came of confirming; `hosts`: those that held something back. */
export type ConfirmOutcome =
  | { readonly kind: 'absent' | 'nothing-held' }
  | { readonly kind: 'ordered'; readonly hosts: readonly MachineId[] };

/** A person's word, as it was found. */
export interface KnownDirectoryOrder {
  readonly record: DirectoryOrderRecord;
  readonly modRevision: Revision;
}

/**
 * Tells all hosts of a directory that what they hold back, as they have told of it, is meant. `absent`: nobody has such a directory.
 *
 * @throws StoreError
 */
export async function orderConfirm(access: RegistryAccess, owner: OwnerName): Promise<ConfirmOutcome> {
  const all = await listDirectories(access, owner);
  if (all.length === 0) return { kind: 'absent' };
  const held = all.flatMap(({ claimant, record }) =>
    claimant === applyClaimant || record.held === undefined ? [] : [{ machine: claimant, held: record.held }],
  );
  if (held.length === 0) return { kind: 'nothing-held' };
  const puts = held.map(({ machine, held: { digest } }): Operation => {
    const record: DirectoryOrderRecord = { confirm: digest };
    return { kind: 'put', key: keys.directoryOrder(owner, machine), value: encodeRecord(record) };
  });
  for (const success of chunks(puts, maxTransactionSize)) await access.store.transact({ success });
  return { kind: 'ordered', hosts: held.map(({ machine }) => machine) };
}

/** What a host was told, if anything. @throws StoreError */
export async function readDirectoryOrder(
  { store, log }: RegistryAccess,
  owner: OwnerName,
  machine: MachineId,
): Promise<KnownDirectoryOrder | undefined> {
  const [kv] = (await store.range({ from: keys.directoryOrder(owner, machine) })).kvs;
  if (kv === undefined) return undefined;
  const record = findRecord<DirectoryOrderRecord>(kv, log) ?? { confirm: '' };
  return { record, modRevision: kv.modRevision };
}

/** Takes away an order that was carried out, or is about something else; not one that came after it. @throws StoreError */
export async function deleteDirectoryOrder(
  { store }: RegistryAccess,
  { owner, machine }: { readonly owner: OwnerName; readonly machine: MachineId },
  { modRevision }: KnownDirectoryOrder,
): Promise<void> {
  const key = keys.directoryOrder(owner, machine);
  await store.transact({
    compares: [{ key, on: 'mod-revision', equals: modRevision }],
    success: [{ kind: 'delete', from: key }],
  });
}
