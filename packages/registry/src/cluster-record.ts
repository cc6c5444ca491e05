import { randomUUID } from 'node:crypto';
import { keys } from './keys.js';
import { type ClusterRecord, decodeRecord, encodeRecord } from './records.js';
import type { Revision, Store } from './store.js';

/** Version of the key layout that this code reads and writes. */
const schemaVersion = 1;

/** What a store says of itself. */
export interface StoreIdentity {
  /** `undefined`: nobody has set the store up, or somebody has emptied it. */
  readonly cluster: ClusterRecord | undefined;
  readonly revision: Revision;
}

/** Asks a store which cluster it holds. @throws FleetError `bad-record` if it can't say */
export async function readStoreIdentity(store: Store): Promise<StoreIdentity> {
  const { kvs, revision } = await store.range({ from: keys.cluster });
  const [kv] = kvs;
  return { cluster: kv === undefined ? undefined : decodeRecord<ClusterRecord>(kv.key, kv.value), revision };
}

/** Gives a new store its identity, unless another daemon is quicker. Only for a machine that belongs to no cluster. */
export async function setUpStore(store: Store): Promise<StoreIdentity> {
  const record: ClusterRecord = { uuid: randomUUID(), schema: schemaVersion };
  await store.transact({
    compares: [{ key: keys.cluster, on: 'create-revision', equals: 0 }],
    success: [{ kind: 'put', key: keys.cluster, value: encodeRecord(record) }],
  });
  return await readStoreIdentity(store);
}
