import type { LaunchState, MachineId } from '@flotilla/cluster';
import type { UnitName } from '@flotilla/unit';
import { keys, parseKey, ranges } from './keys.js';
import { readWholeRange } from './page.js';
import type { HeldRecord, MachineRecord, ScheduleRecord, UnfreezeWord } from './records.js';
import { findRecord, type RegistryAccess } from './registry-access.js';
import type { KeyValue } from './store.js';
import { readStoredUnits, type StoredUnit } from './stored-units.js';

/** What becomes of one unit when its machine is unfrozen. */
export interface UnfreezeEffect {
  readonly unit: UnitName;
  /**
   * `written-back`: runs on, and the store gets it. `kept`: stays as it is. `stopped`: is stopped here, and its file
   * goes unless it is to be loaded. `replaced`: other content takes its place. `started`, `loaded`: the store has it here.
   */
  readonly effect: 'written-back' | 'kept' | 'stopped' | 'replaced' | 'started' | 'loaded';
  readonly why: UnfreezeReason;
}

/** Why it becomes of a unit what {@link UnfreezeEffect} says. */
export type UnfreezeReason =
  | { readonly kind: 'unknown' | 'unreadable' | 'inactive' | 'waiting' | 'other-content' | 'same' }
  | { readonly kind: 'placed-elsewhere'; readonly machine: MachineId }
  | { readonly kind: 'wanted'; readonly desiredState: LaunchState };

/** What unfreezing a machine would do. */
export interface UnfreezePlan {
  readonly kind: 'planned';
  /** Why it is frozen. */
  readonly frozen: string;
  /** By unit name. Global units that the machine does not have yet are not among them. */
  readonly effects: readonly UnfreezeEffect[];
}

/** Why there is no plan; `not-told`: the machine has yet to say what it has. */
export interface NoUnfreezePlan {
  readonly kind: 'absent' | 'not-frozen' | 'not-told';
}

/**
 * What unfreezing `machine` would do, as things stand. Reads what the machine holds and what is scheduled to it, and 64
 * units to a transaction.
 *
 * @throws StoreError
 */
export async function readUnfreezeEffects(
  { store, log }: RegistryAccess,
  machine: MachineId,
  how: UnfreezeWord,
): Promise<UnfreezePlan | NoUnfreezePlan> {
  const [kv] = (await store.range({ from: keys.machine(machine) })).kvs;
  if (kv === undefined) return { kind: 'absent' };
  const record = findRecord<MachineRecord>(kv, log);
  if (record?.frozen === undefined) return { kind: 'not-frozen' };
  if (record.held === undefined) return { kind: 'not-told' };
  const held = toRecords<HeldRecord>(await readWholeRange(store, ranges.heldOf(machine)), log);
  const scheduled = toRecords<ScheduleRecord>(await readWholeRange(store, ranges.scheduleOf(machine)), log);
  const stored = await readStoredUnits(store, [...held.keys()]);
  const effects = [...held].map(([unit, has]) =>
    heldEffect({ unit, held: has, stored: stored.get(unit) ?? { kind: 'absent' }, machine, how }),
  );
  for (const [unit, entry] of scheduled)
    if (!held.has(unit) && !entry.isLeaving) effects.push(...scheduledEffect(unit, entry));
  return {
    kind: 'planned',
    frozen: record.frozen,
    effects: effects.sort((one, other) => (one.unit < other.unit ? -1 : 1)),
  };
}

/** What {@link heldEffect} decides on. */
export interface HeldUnitCase {
  readonly unit: UnitName;
  readonly held: HeldRecord;
  readonly stored: StoredUnit;
  readonly machine: MachineId;
  readonly how: UnfreezeWord;
}

/** What becomes of a unit that the machine has. */
export function heldEffect({ unit, held, stored, machine, how }: HeldUnitCase): UnfreezeEffect {
  if (stored.kind === 'absent')
    return { unit, effect: how === 'adopt' ? 'written-back' : 'stopped', why: { kind: 'unknown' } };
  if (stored.kind === 'unreadable') return { unit, effect: 'kept', why: { kind: 'unreadable' } };
  const { record, placement } = stored;
  const { desiredState } = record;
  if (desiredState === 'inactive') return { unit, effect: 'stopped', why: { kind: 'inactive' } };
  if (!record.isGlobal && placement === undefined) return { unit, effect: 'kept', why: { kind: 'waiting' } };
  if (!record.isGlobal && placement !== undefined && placement !== machine)
    return { unit, effect: 'stopped', why: { kind: 'placed-elsewhere', machine: placement } };
  if (record.hash !== held.hash) return { unit, effect: 'replaced', why: { kind: 'other-content' } };
  if (desiredState === held.desiredState) return { unit, effect: 'kept', why: { kind: 'same' } };
  return { unit, effect: desiredState === 'launched' ? 'started' : 'stopped', why: { kind: 'wanted', desiredState } };
}

function scheduledEffect(unit: UnitName, { desiredState }: ScheduleRecord): UnfreezeEffect[] {
  if (desiredState === 'inactive') return [];
  return [{ unit, effect: desiredState === 'launched' ? 'started' : 'loaded', why: { kind: 'wanted', desiredState } }];
}

function toRecords<T extends object>(kvs: readonly KeyValue[], log: RegistryAccess['log']): Map<UnitName, T> {
  const records = new Map<UnitName, T>();
  for (const kv of kvs) {
    const parsed = parseKey(kv.key);
    const record = findRecord<T>(kv, log);
    if (parsed !== undefined && 'name' in parsed && record !== undefined) records.set(parsed.name, record);
  }
  return records;
}
