import { type SettingKey, settingKeys } from '@flotilla/cluster';
import { decodeSetting } from './checked-records.js';
import { keys } from './keys.js';
import { encodeRecord, type SettingRecord } from './records.js';
import { findRecord, type RegistryAccess } from './registry-access.js';
import type { Operation, Store } from './store.js';

/** The cluster settings that are set, as they were given. Those that this version does not know are not among them. */
export async function readSettings({ store, log }: RegistryAccess): Promise<ReadonlyMap<SettingKey, string>> {
  const { ranges } = await store.transact({
    success: settingKeys.map((key) => ({ kind: 'range', from: keys.setting(key) }) as const),
  });
  const texts = new Map<SettingKey, string>();
  for (const [at, key] of settingKeys.entries()) {
    const record = findRecord(ranges[at]?.kvs[0], log, decodeSetting);
    if (record !== undefined) texts.set(key, record.value);
  }
  return texts;
}

/**
 * Sets cluster settings, all of them or none; `undefined` is no longer set. Whoever comes last is right.
 *
 * @param texts Checked by the caller.
 * @throws StoreError; doing it again is harmless.
 */
export async function writeSettings(store: Store, texts: ReadonlyMap<SettingKey, string | undefined>): Promise<void> {
  const operations = [...texts].map(([key, value]): Operation => {
    const record = value === undefined ? undefined : ({ value } satisfies SettingRecord);
    return record === undefined
      ? { kind: 'delete', from: keys.setting(key) }
      : { kind: 'put', key: keys.setting(key), value: encodeRecord(record) };
  });
  if (operations.length > 0) await store.transact({ success: operations });
}
