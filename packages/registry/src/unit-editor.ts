import { FleetError } from '@flotilla/errors';
import type { UnitName } from '@flotilla/unit';
import { chunks } from './chunks.js';
import type { RegistryAccess } from './registry-access.js';
import { type KeyValue, StoreError } from './store.js';
import { dealAnswers, decodeSeen, mostReads, planReads } from './unit-before.js';
import type { UnitChange } from './unit-change.js';
import { type PutUnitOutcome, UnitEdit, type UnitResult } from './unit-edit.js';
import { toBatches, type UnitWrite, type WriteBatch } from './unit-write.js';

interface EditWrite {
  readonly edit: UnitEdit;
  readonly write: UnitWrite;
}

/**
 * Creates, replaces or updates a unit. The write compares the revision at which the unit was read, and is decided anew
 * when another writer was faster. When the store doesn't answer, the unit is read back: it is done if the store holds
 * what was to be written.
 *
 * Two transactions; one if the unit is new or nothing is to be written.
 *
 * @throws StoreError; `uncertain` only if the change may or may not have been made.
 * @throws FleetError `bad-record` if what is stored under the name can't be read. It can be deleted.
 */
export async function putUnit(access: RegistryAccess, name: UnitName, change: UnitChange): Promise<PutUnitOutcome> {
  const result = (await putUnits(access, new Map([[name, change]]))).get(name);
  if (result?.kind === 'settled') return result.outcome;
  throw result?.error;
}

/**
 * {@link putUnit} for many units, in as few transactions as the store's limits allow. Each comes out as it would alone:
 * one that is refused, or fails, or has a rival, doesn't keep the others from being written.
 *
 * @returns One result for each of `changes`; never rejects because of the store.
 */
export async function putUnits(
  access: RegistryAccess,
  changes: ReadonlyMap<UnitName, UnitChange>,
): Promise<ReadonlyMap<UnitName, UnitResult<PutUnitOutcome>>> {
  const results = new Map<UnitName, UnitResult<PutUnitOutcome>>();
  let pending = [...changes].map(([name, change]) => new UnitEdit(name, change));
  while (pending.length > 0) {
    const reads: { readonly plain: UnitEdit[]; readonly withStates: UnitEdit[] } = { plain: [], withStates: [] };
    const writes: EditWrite[] = [];
    for (const edit of pending) {
      const step = edit.step();
      if (step.kind === 'read') reads[step.needsStates ? 'withStates' : 'plain'].push(edit);
      else if (step.kind === 'write') writes.push({ edit, write: step.write });
      else results.set(edit.name, step);
    }
    pending = [...reads.plain, ...reads.withStates, ...writes.map(({ edit }) => edit)];
    await Promise.all([
      ...chunks(reads.plain, mostReads.plain).map((edits) => read(access, edits)),
      ...chunks(reads.withStates, mostReads.withStates).map((edits) => read(access, edits)),
      ...toBatches(writes).map((batch) => write(access, batch)),
    ]);
  }
  return results;
}

async function read({ store, log }: RegistryAccess, edits: readonly UnitEdit[]): Promise<void> {
  const reads = planReads(edits);
  try {
    const { ranges, revision } = await store.transact({ success: reads.flatMap(({ operations }) => operations) });
    for (const { asked, kvs } of dealAnswers(reads, ranges))
      decodeOrFail(asked, () => asked.see(decodeSeen(asked.name, { kvs, readAt: revision }, log)));
  } catch (error) {
    for (const edit of edits) edit.fail(error);
  }
}

async function write({ store, log }: RegistryAccess, { writes, compares, operations }: WriteBatch<EditWrite>) {
  const reads = planReads(writes.map(({ edit }) => edit));
  try {
    const failure = reads.flatMap((each) => each.operations);
    const { succeeded, ranges, revision } = await store.transact({ compares, success: operations, failure });
    if (succeeded) for (const { edit } of writes) edit.succeed();
    else {
      const answers = dealAnswers(reads, ranges).filter(
        ({ kvs }, at) => modRevision(kvs) !== writes[at]?.write.compares[0]?.equals,
      );
      if (answers.length === 0) throw new FleetError('inexplicable-refusal', 'no unit has changed');
      for (const { asked, kvs } of answers)
        decodeOrFail(asked, () => asked.seeOther(decodeSeen(asked.name, { kvs, readAt: revision }, log)));
    }
  } catch (error) {
    const isUncertain = error instanceof StoreError && error.kind === 'uncertain';
    for (const { edit } of writes) isUncertain ? edit.missAnswer(error) : edit.fail(error);
  }
}

function modRevision(kvs: readonly (readonly KeyValue[])[]): number {
  return kvs[0]?.[0]?.modRevision ?? 0;
}

/** A record that can't be read is that unit's trouble alone. */
function decodeOrFail(edit: UnitEdit, decode: () => void): void {
  try {
    decode();
  } catch (error) {
    edit.fail(error);
  }
}
