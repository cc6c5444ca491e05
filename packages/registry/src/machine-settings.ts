import { type MachineId, parseSettings } from '@flotilla/cluster';
import { decodeMachine, decodeMachineSettings, decodeSetting } from './checked-records.js';
import { keys } from './keys.js';
import { encodeRecord, type MachineSettingsRecord, type SettingRecord } from './records.js';
import { findRecord, type RegistryAccess } from './registry-access.js';

/** Who says how many units a machine takes; `undefined` where somebody says nothing. */
export interface MachineLimits {
  /** What it was told. */
  readonly told: number | undefined;
  /** What it says itself; nothing while it is not there. */
  readonly own: number | undefined;
  /** What goes for all. */
  readonly all: number | undefined;
}

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
    const changed = change(findRecord(kv, log, decodeMachineSettings) ?? {});
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

/** What is said about how many units a machine takes. */
export async function readMachineLimits({ store, log }: RegistryAccess, machine: MachineId): Promise<MachineLimits> {
  const { ranges } = await store.transact({
    success: [
      { kind: 'range', from: keys.machineSettings(machine) },
      { kind: 'range', from: keys.machine(machine) },
      { kind: 'range', from: keys.setting('max_units') },
    ],
  });
  const [told, own, all] = ranges.map(({ kvs }) => kvs[0]);
  return {
    told: findRecord(told, log, decodeMachineSettings)?.maxUnits,
    own: findRecord(own, log, decodeMachine)?.maxUnits,
    all: limitOfAll(findRecord(all, log, decodeSetting)),
  };
}

/** The cluster setting `max_units`, read. */
export function limitOfAll(record: SettingRecord | undefined): number | undefined {
  return parseSettings(new Map(record === undefined ? [] : [['max_units', record.value]])).settings.maxUnits;
}
