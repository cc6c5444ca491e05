import {
  effectiveLimit,
  effectiveMetadata,
  type LaunchState,
  type Machine,
  type MachineId,
  type Unit,
} from '@flotilla/cluster';
import { FleetError } from '@flotilla/errors';
import {
  decodeMachine,
  decodeMachineSettings,
  decodeMetadata,
  decodeRecord,
  decodeSetting,
  isLimit,
  type KeyValue,
  type MachineRecord,
  type MachineSettingsRecord,
  type MetadataRecord,
  type PlacementRecord,
  type ReasonRecord,
  ranges,
  type ScheduleRecord,
  type SettingRecord,
  type UnitRecord,
} from '@flotilla/registry';
import type { Requirements, UnitName } from '@flotilla/unit';
import type { Entry } from './mirror-table.js';

const launchStates: Readonly<Record<LaunchState, true>> = { inactive: true, loaded: true, launched: true };

/** Whether the record of a key names a unit file, even if it is a newer version's. */
export function namesFile(key: string): boolean {
  return [ranges.units, ranges.schedule].some(({ from, to }) => key >= from && key < to);
}

/** Reads `units/<name>`. @throws FleetError `bad-record` */
export function readUnitEntry(kv: KeyValue): Entry<UnitRecord> {
  const record = decodeRecord<UnitRecord>(kv.key, kv.value);
  const { desiredState, file, hash, order } = record;
  check(kv, typeof file === 'string' && typeof hash === 'string' && Number.isInteger(order));
  check(kv, Object.hasOwn(launchStates, desiredState) && typeof record.isGlobal === 'boolean');
  return entryOf(kv, record);
}

/** Reads `placements/<name>`. @throws FleetError `bad-record` */
export function readPlacementEntry(kv: KeyValue): Entry<PlacementRecord> {
  const record = decodeRecord<PlacementRecord>(kv.key, kv.value);
  check(kv, typeof record.machine === 'string');
  return entryOf(kv, record);
}

/** Reads `schedule/<machine>/<name>`. @throws FleetError `bad-record` */
export function readScheduleEntry(kv: KeyValue): Entry<ScheduleRecord> {
  const record = decodeRecord<ScheduleRecord>(kv.key, kv.value);
  check(kv, typeof record.file === 'string' && typeof record.isLeaving === 'boolean');
  return entryOf(kv, record);
}

/** Reads `reasons/<name>`. @throws FleetError `bad-record` */
export function readReasonEntry(kv: KeyValue): Entry<ReasonRecord> {
  const record = decodeRecord<ReasonRecord>(kv.key, kv.value);
  check(kv, typeof record.since === 'number' && typeof record.misfits === 'object' && record.misfits !== null);
  return entryOf(kv, record);
}

/** Reads `machines/<id>`. @throws FleetError `bad-record` */
export function readMachineEntry(kv: KeyValue): Entry<MachineRecord> {
  return entryOf(kv, decodeMachine(kv.key, kv.value));
}

/** Reads `settings/machines/<id>`. @throws FleetError `bad-record` */
export function readMachineSettingsEntry(kv: KeyValue): Entry<MachineSettingsRecord> {
  return entryOf(kv, decodeMachineSettings(kv.key, kv.value));
}

/** Reads `metadata/<id>/<key>`. @throws FleetError `bad-record` */
export function readMetadataEntry(kv: KeyValue): Entry<MetadataRecord> {
  return entryOf(kv, decodeMetadata(kv.key, kv.value));
}

/** Reads `settings/<key>`; whether the value is one of the setting is not looked at. @throws FleetError `bad-record` */
export function readSettingEntry(kv: KeyValue): Entry<SettingRecord> {
  return entryOf(kv, decodeSetting(kv.key, kv.value));
}

/** A unit as scheduling sees it. `asked` is what its file asks for; whether it is global, the record says. */
export function unitOf(
  name: UnitName,
  { record, createRevision, modRevision }: Entry<UnitRecord>,
  asked: Requirements,
): Unit {
  const { hash, desiredState, isGlobal, runsOn: home, uid = createRevision } = record;
  const requirements = asked.isGlobal === isGlobal ? asked : { ...asked, isGlobal };
  const own = { name, hash, desiredState, requirements, createdAt: uid };
  return home === undefined ? own : { ...own, runsOn: { machine: home, asOf: modRevision } };
}

/** The machine that a unit says it runs on, unless that has been away since. */
export function findHome(
  unit: Entry<UnitRecord> | undefined,
  machines: ReadonlyMap<MachineId, Entry<MachineRecord>>,
): MachineId | undefined {
  const home = unit?.record.runsOn;
  const since = (home && machines.get(home)?.createRevision) ?? 0;
  return unit !== undefined && since <= unit.modRevision ? home : undefined;
}

/** What was said of a machine elsewhere than in its record. */
export interface ToldOfMachine {
  /** Of its metadata. */
  readonly overrides: ReadonlyMap<string, string>;
  readonly toldLimit: number | undefined;
  readonly limitOfAll: number | undefined;
}

/** A machine as scheduling sees it. */
export function machineOf(
  id: MachineId,
  { record, createRevision }: Entry<MachineRecord>,
  { overrides, toldLimit, limitOfAll }: ToldOfMachine,
): Machine {
  const { metadata, frozen, maxUnits } = record;
  return {
    id,
    metadata: effectiveMetadata(new Map(Object.entries(metadata)), overrides),
    isClosed: frozen !== undefined,
    since: createRevision,
    maxUnits: effectiveLimit({ told: toldLimit, own: isLimit(maxUnits) ? maxUnits : undefined, all: limitOfAll }),
  };
}

/** Whether scheduling sees no difference between two records of a machine. */
export function isSameMachine(a: Machine, b: Machine): boolean {
  if (a.isClosed !== b.isClosed || a.maxUnits !== b.maxUnits || a.metadata.size !== b.metadata.size) return false;
  return [...a.metadata].every(([key, value]) => b.metadata.get(key) === value);
}

/** What is wrong with a record. */
export function badRecord(problem: string): FleetError {
  return new FleetError('bad-record', problem);
}

function entryOf<R>({ createRevision, modRevision }: KeyValue, record: R): Entry<R> {
  return { record, createRevision, modRevision };
}

function check({ key }: KeyValue, isRight: boolean): void {
  if (!isRight) throw badRecord(`the value of ${key} lacks a field, or has a wrong one`);
}
