import type { Logger } from '@flotilla/runtime';
import { decodeRecord } from './records.js';
import type { KeyValue, Store } from './store.js';

/** What the user side needs to read and change the registry. */
export interface RegistryAccess {
  readonly store: Store;
  readonly log: Logger;
}

/** The record under a key, if there is one. One that can't be read is logged and counts as none. */
export function findRecord<T extends object>(
  kv: KeyValue | undefined,
  log: Logger,
  decode: (key: string, value: Uint8Array) => T = decodeRecord<T>,
): T | undefined {
  if (kv === undefined) return undefined;
  try {
    return decode(kv.key, kv.value);
  } catch (error) {
    log.warn('a record is ignored', { key: kv.key, error });
    return undefined;
  }
}
