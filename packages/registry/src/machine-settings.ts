import type { MachineId } from '@flotilla/cluster';
import { keys } from './keys.js';
import { encodeRecord, type MachineSettingsRecord } from './records.js';
import { findRecord, type RegistryAccess } from './registry-access.js';

/** Tries against others who change the same machine's settings. */
const mostAttempts = 4;

/**
 * Changes what a machine was told to do otherwise, whether it is there or not. A record that comes out empty is deleted,
 * and one that can't be read is written anew.
 *
 * @param change From what there is to what there is to be; may be called several times.
 * @returns `conflict` if others kept changing it meanwhile.
 * @throws StoreError; doing it again is harmless.
 */
export async function changeMachineSettings(
  { store, log }: RegistryAccess,
  machine: MachineId,
  change: (settings: MachineSettingsRecord) => MachineSettingsRecord,
): Promise<'changed' | 'conflict'> {
  const key = keys.machineSettings(machine);
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    const [kv] = (await store.range({ from: key })).kvs;
    const changed = change(findRecord<MachineSettingsRecord>(kv, log) ?? {});
    const isEmpty = Object.keys(changed).length === 0;
    if (isEmpty && kv === undefined) return 'changed';
    const { succeeded } = await store.transact({
      compares: [{ key, on: 'mod-revision', equals: kv?.modRevision ?? 0 }],
      success: [isEmpty ? { kind: 'delete', from: key } : { kind: 'put', key, value: encodeRecord(changed) }],
    });
    if (succeeded) return 'changed';
  }
  return 'conflict';
}
