import type { MachineId } from '@flotilla/cluster';
import { decodeLoss } from './checked-records.js';
import { keys, parseKey, ranges } from './keys.js';
import { readWholeRange } from './page.js';
import { encodeRecord, type LossRecord, type MemberRecord, type ReleaseRecord } from './records.js';
import { findRecord, type RegistryAccess } from './registry-access.js';
import type { Operation } from './store.js';

/** What the leader makes of a machine that is gone. */
export interface KnownLoss {
  readonly machine: MachineId;
  readonly record: LossRecord;
}

/**
 * What came of a release. `forgotten`: it was lost already, and is no member any more. `counted`: it would be, but the brake
 * holds for its sake, too. `absent`: no such machine is known. `alive`, `left`: it is not gone, or for good. `conflict`:
 * what is known of it kept changing.
 */
export type ReleaseOutcome = 'ordered' | 'forgotten' | 'counted' | 'absent' | 'alive' | 'left' | 'conflict';

/** Tries against changes of what is known of the machine, of which there are few. */
const mostAttempts = 4;

/** The machines that are gone and have not left, by ID, as the leader last saw it. */
export async function listLosses({ store, log }: RegistryAccess): Promise<readonly KnownLoss[]> {
  return (await readWholeRange(store, ranges.losses)).flatMap((kv) => {
    const parsed = parseKey(kv.key);
    const record = findRecord(kv, log, decodeLoss);
    return parsed?.kind === 'loss' && record !== undefined ? [{ machine: parsed.machine, record }] : [];
  });
}

/**
 * Tells the leader that a machine which is gone is lost, and not only out of reach. It holds for this absence. One that is
 * lost already is forgotten: nobody expects it back, and it is in no list. It is a member again when it registers.
 *
 * @throws StoreError
 */
export async function orderRelease(access: RegistryAccess, machine: MachineId): Promise<ReleaseOutcome> {
  const { store, log } = access;
  const read = [keys.machine(machine), keys.loss(machine), keys.member(machine)];
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    const { ranges: answers } = await store.transact({ success: read.map((from) => ({ kind: 'range', from })) });
    const [alive, loss, member] = answers.map(({ kvs }) => kvs[0]);
    if (alive !== undefined) return 'alive';
    if (member === undefined) return 'absent';
    if (findRecord<MemberRecord>(member, log)?.is === 'left') return 'left';
    const isLost = findRecord(loss, log, decodeLoss)?.state === 'lost';
    // With it, the brake would forget that so many went at once, and let go of the others.
    if (isLost && (await listLosses(access)).some(({ record: { state } }) => state === 'brake')) return 'counted';
    const { succeeded } = await store.transact({
      compares: [
        { key: keys.machine(machine), on: 'create-revision', equals: 0 },
        { key: keys.loss(machine), on: 'mod-revision', equals: loss?.modRevision ?? 0 },
        { key: keys.member(machine), on: 'mod-revision', equals: member.modRevision },
      ],
      success: isLost ? forgetting(machine) : [releasePut(machine)],
    });
    if (succeeded) return isLost ? 'forgotten' : 'ordered';
  }
  return 'conflict';
}

function forgetting(machine: MachineId): readonly Operation[] {
  return [
    { kind: 'delete', from: keys.member(machine) },
    { kind: 'delete', ...ranges.restartsOf(machine) },
  ];
}

function releasePut(machine: MachineId): Operation {
  const record: ReleaseRecord = {};
  return { kind: 'put', key: keys.release(machine), value: encodeRecord(record) };
}
