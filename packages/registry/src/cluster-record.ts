import { randomUUID } from 'node:crypto';
import { FleetError } from '@flotilla/errors';
import { keys } from './keys.js';
import { type ClusterRecord, decodeRecord, encodeRecord } from './records.js';
import type { KeyValue, Revision, Store } from './store.js';

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
  return { cluster: kv && readCluster(kv), revision };
}

function readCluster({ key, value }: KeyValue): ClusterRecord {
  const record = decodeRecord<ClusterRecord>(key, value);
  // A store that does not say who it is would pass for any.
  if (typeof record.uuid !== 'string') throw new FleetError('bad-record', `the value of ${key} has no uuid`);
  return record;
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
