import type { MachineId } from '@flotilla/cluster';
import { keys } from './keys.js';
import { decodeRecord, encodeRecord, type MachineRecord, type UnfreezeRecord, type UnfreezeWord } from './records.js';
import type { Store } from './store.js';

/** What came of an order to unfreeze. `conflict`: the machine's record kept changing meanwhile. */
export type UnfreezeOutcome = 'ordered' | 'absent' | 'not-frozen' | 'conflict';

/** Tries against changes of the machine's record, of which there are few. */
const mostAttempts = 4;

/**
 * Orders a frozen machine to go on. The order dies with the machine's lease; that it was carried out shows in the
 * machine's record, which says no longer that it is frozen.
 *
 * @throws StoreError
 * @throws FleetError `bad-record` if the machine's record can't be read.
 */
export async function orderUnfreeze(store: Store, machine: MachineId, how: UnfreezeWord): Promise<UnfreezeOutcome> {
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    const [kv] = (await store.range({ from: keys.machine(machine) })).kvs;
    if (kv === undefined) return 'absent';
    const { frozen } = decodeRecord<MachineRecord>(kv.key, kv.value);
    if (frozen === undefined) return 'not-frozen';
    const record: UnfreezeRecord = { how };
    const lease = kv.lease === undefined ? {} : { lease: kv.lease };
    const { succeeded } = await store.transact({
      compares: [{ key: kv.key, on: 'mod-revision', equals: kv.modRevision }],
      success: [{ kind: 'put', key: keys.unfreeze(machine), value: encodeRecord(record), ...lease }],
    });
    if (succeeded) return 'ordered';
  }
  return 'conflict';
}
