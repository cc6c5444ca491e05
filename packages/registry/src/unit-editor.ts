import { createHash } from 'node:crypto';
import type { UnitName } from '@flotilla/unit';
import { keys, parseKey, ranges } from './keys.js';
import { encodeRecord, type PlacementRecord, type StateRecord, type UnitRecord } from './records.js';
import { findRecord, type RegistryAccess } from './registry-access.js';
import { type KeyValue, type Operation, type Revision, StoreError, type TransactionResult } from './store.js';
import {
  decideUnitChange,
  isSameRecord,
  type UnitBefore,
  type UnitChange,
  type UnitChangeDecision,
  type UnitChangeEffect,
  type UnitChangeRefusal,
} from './unit-change.js';
import { decodeUnit } from './unit-reader.js';

/** What came of a change: its effect, why it was refused, or `conflict` if others kept changing the unit meanwhile. */
export type PutUnitOutcome = UnitChangeEffect | UnitChangeRefusal | 'conflict';

/** Tries against other writers of the same unit. Taste: people and directories write one unit a few times a minute. */
const mostAttempts = 8;

type Write = Extract<UnitChangeDecision, { kind: 'write' }>;

interface Before extends UnitBefore {
  readonly modRevision: Revision;
}

/**
 * Creates, replaces or updates a unit. The write compares the revision at which the unit was read, and is decided anew
 * when another writer was faster. When the store doesn't answer, the unit is read back: it is done if the store holds
 * what was to be written.
 *
 * Two transactions; one if nothing is to be written.
 *
 * @throws StoreError; `uncertain` only if the change may or may not have been made.
 * @throws FleetError `bad-record` if what is stored under the name can't be read. It can be deleted.
 */
export async function putUnit(access: RegistryAccess, name: UnitName, change: UnitChange): Promise<PutUnitOutcome> {
  const fileKey = change.content === undefined ? '' : sha256(change.content.file);
  let unanswered: { readonly write: Write; readonly error: StoreError } | undefined;
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    const before = await readBefore(access, name, change).catch((error: unknown) => {
      throw unanswered?.error ?? error;
    });
    if (unanswered !== undefined && before !== undefined && isSameRecord(before.record, unanswered.write.record))
      return unanswered.write.effect;
    const decision = decideUnitChange(name, { change, fileKey, ...(before === undefined ? {} : { before }) });
    // What was asked may be there although others have changed the unit again since.
    if (decision.kind === 'refuse')
      return decision.why === 'nothing-asked' && unanswered ? unanswered.write.effect : decision.why;
    if (decision.effect === 'unchanged') return decision.effect;
    try {
      if ((await write(access, { name, before, decision })).succeeded) return decision.effect;
    } catch (error) {
      if (!(error instanceof StoreError && error.kind === 'uncertain')) throw error;
      unanswered = { write: decision, error };
    }
  }
  if (unanswered !== undefined) throw unanswered.error;
  return 'conflict';
}

/**
 * Deletes a unit; the leader sees to the rest. `absent` if there is none. One transaction.
 *
 * @throws StoreError; `uncertain` only if the unit may or may not have been deleted.
 */
export async function deleteUnit({ store }: RegistryAccess, name: UnitName): Promise<'deleted' | 'absent'> {
  const key = keys.unit(name);
  try {
    const { succeeded } = await store.transact({
      compares: [{ key, on: 'create-revision', equals: 0 }],
      success: [],
      failure: [
        { kind: 'delete', from: key },
        { kind: 'delete', from: keys.global(name) },
      ],
    });
    return succeeded ? 'absent' : 'deleted';
  } catch (error) {
    if (!(error instanceof StoreError && error.kind === 'uncertain')) throw error;
    const { kvs } = await store.range({ from: key, keysOnly: true }).catch(() => {
      throw error;
    });
    if (kvs.length > 0) throw error;
    return 'deleted';
  }
}

async function readBefore(
  { store, log }: RegistryAccess,
  name: UnitName,
  { desiredState }: UnitChange,
): Promise<Before | undefined> {
  const unit: Operation = { kind: 'range', from: keys.unit(name) };
  const forOrder: readonly Operation[] = [
    { kind: 'range', from: keys.placement(name) },
    { kind: 'range', ...ranges.statesOf(name) },
  ];
  const { ranges: answers } = await store.transact({
    success: [unit, ...(desiredState === 'launched' ? forOrder : [])],
  });
  const [units, placements, states] = answers.map(({ kvs }) => kvs);
  const kv = units?.[0];
  if (kv === undefined) return undefined;
  return {
    ...decodeUnit(name, kv),
    modRevision: kv.modRevision,
    placement: findRecord<PlacementRecord>(placements?.[0], log)?.machine,
    states: new Map((states ?? []).flatMap((row) => stateEntry(row, log))),
  };
}

function stateEntry(kv: KeyValue, log: RegistryAccess['log']) {
  const parsed = parseKey(kv.key);
  const record = findRecord<StateRecord>(kv, log);
  return parsed?.kind === 'state' && record !== undefined ? [[parsed.machine, record] as const] : [];
}

function write(
  { store }: RegistryAccess,
  {
    name,
    before,
    decision,
  }: { readonly name: UnitName; readonly before: Before | undefined; readonly decision: Write },
): Promise<TransactionResult> {
  const { record, file } = decision;
  const key = keys.unit(name);
  const operations: Operation[] = [{ kind: 'put', key, value: encodeRecord(record) }];
  // Put again although it may be there: the leader deletes a file only at the revision at which nobody used it.
  if (file !== undefined) operations.push({ kind: 'put', key: keys.unitFile(record.file), value: file });
  if (record.isGlobal) {
    // On creation the copy's own create revision is the unit's.
    const copy: UnitRecord = before === undefined ? record : { ...record, uid: before.uid };
    operations.push({ kind: 'put', key: keys.global(name), value: encodeRecord(copy) });
  } else if (before?.record.isGlobal === true) operations.push({ kind: 'delete', from: keys.global(name) });
  return store.transact({
    compares: [{ key, on: 'mod-revision', equals: before?.modRevision ?? 0 }],
    success: operations,
  });
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
