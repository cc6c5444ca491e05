import { FleetError } from '@flotilla/errors';
import {
  decodeRecord,
  type LossRecord,
  type LossState,
  type MachineRecord,
  type MachineSettingsRecord,
  type MetadataRecord,
  type SettingRecord,
} from './records.js';

const lossStates: Readonly<Record<LossState, true>> = { grace: true, brake: true, rate: true, lost: true };

/** Reads `machines/<id>`. @throws FleetError `bad-record` also if its metadata are none. */
export function decodeMachine(key: string, value: Uint8Array): MachineRecord {
  const record = decodeRecord<MachineRecord>(key, value);
  const { metadata } = record;
  check(key, typeof metadata === 'object' && metadata !== null);
  check(
    key,
    Object.values(metadata).every((each) => typeof each === 'string'),
  );
  return record;
}

/** Reads `settings/machines/<id>`. @throws FleetError `bad-record` also if its limit is none. */
export function decodeMachineSettings(key: string, value: Uint8Array): MachineSettingsRecord {
  const record = decodeRecord<MachineSettingsRecord>(key, value);
  check(key, isLimit(record.maxUnits));
  return record;
}

/** Reads `metadata/<id>/<key>`. @throws FleetError `bad-record` also if its value is no text. */
export function decodeMetadata(key: string, value: Uint8Array): MetadataRecord {
  const record = decodeRecord<MetadataRecord>(key, value);
  check(key, typeof record.value === 'string');
  return record;
}

/** Reads `settings/<key>`. @throws FleetError `bad-record` also if its value is no text; what it says is not looked at. */
export function decodeSetting(key: string, value: Uint8Array): SettingRecord {
  const record = decodeRecord<SettingRecord>(key, value);
  check(key, typeof record.value === 'string');
  return record;
}

/** Reads `losses/<id>`. @throws FleetError `bad-record` also if a field is missing: waiting would never end, or not begin. */
export function decodeLoss(key: string, value: Uint8Array): LossRecord {
  const record = decodeRecord<LossRecord>(key, value);
  const { address, at, since, state, units } = record;
  check(key, [since, at, units].every(Number.isFinite));
  check(key, typeof address === 'string' && Object.hasOwn(lossStates, state));
  return record;
}

/** Whether a machine may be told to take at most so many units; `undefined` is no limit. */
export function isLimit(value: number | undefined): boolean {
  return value === undefined || (Number.isSafeInteger(value) && value > 0);
}

function check(key: string, isRight: boolean): void {
  if (!isRight) throw new FleetError('bad-record', `the value of ${key} lacks a field, or has a wrong one`);
}
