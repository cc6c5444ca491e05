import { effectiveLimit, effectiveMetadata, type MachineId } from '@flotilla/cluster';
import { decodeMachine, decodeMachineSettings, decodeSetting } from './checked-records.js';
import { keys, parseKey, ranges } from './keys.js';
import { overridesByMachine } from './machine-metadata.js';
import { limitOfAll } from './machine-settings.js';
import { type Page, type PageRequest, readKeyPage, retryIfCompacted } from './page.js';
import type { MachineRecord } from './records.js';
import { findRecord, type RegistryAccess } from './registry-access.js';
import type { KeyRange, KeyValue } from './store.js';

/** A machine whose lease is alive. */
export interface KnownMachine {
  readonly id: MachineId;
  readonly record: MachineRecord;
  /** Its own with what was set through the API laid over it. */
  readonly metadata: ReadonlyMap<string, string>;
  /** How many units it takes, whoever says so. @default no limit */
  readonly maxUnits: number | undefined;
}

/** A page of the machines, by ID: one range, and a transaction for what was set of them. */
export async function listMachines(access: RegistryAccess, request: PageRequest): Promise<Page<KnownMachine>> {
  const { store, log } = access;
  const { kvs, next } = await retryIfCompacted(() => readKeyPage(store, { ...request, table: ranges.machines }));
  const entries = kvs.flatMap((kv) => {
    const parsed = parseKey(kv.key);
    const record = findRecord(kv, log, decodeMachine);
    return parsed?.kind === 'machine' && record !== undefined ? [{ id: parsed.machine, record }] : [];
  });
  if (entries.length === 0) return { entries: [], next };
  const told = await readWhatWasSet(
    access,
    entries.map(({ id }) => id),
  );
  const described = entries.map(({ id, record }) => ({
    id,
    record,
    metadata: effectiveMetadata(new Map(Object.entries(record.metadata)), told.metadata.get(id) ?? new Map()),
    maxUnits: effectiveLimit({ told: told.limits.get(id), own: record.maxUnits, all: told.limitOfAll }),
  }));
  return { entries: described, next };
}

/** What the API was told about the machines of a page, and about all. */
async function readWhatWasSet({ store, log }: RegistryAccess, ids: readonly MachineId[]) {
  const limitKey = keys.setting('max_units');
  const { ranges: answers } = await store.transact({
    success: [
      { kind: 'range', ...spanOf(ids.map((id) => ranges.metadataOf(id))) },
      { kind: 'range', ...spanOf(ids.map(settingsOf)) },
      { kind: 'range', from: limitKey },
    ],
  });
  const [metadata, machines, limit] = answers;
  return {
    metadata: overridesByMachine(metadata?.kvs ?? [], log),
    limits: new Map(machines?.kvs.flatMap((kv) => limitOf(kv, log))),
    limitOfAll: limitOfAll(findRecord(limit?.kvs[0], log, decodeSetting)),
  };
}

function settingsOf(id: MachineId): Required<KeyRange> {
  const key = keys.machineSettings(id);
  return { from: key, to: `${key}\0` };
}

/** The smallest range that has all of these in it. IDs in order do not make ranges in order: one may begin as another. */
function spanOf(all: readonly Required<KeyRange>[]): KeyRange {
  const [first, ...others] = all;
  let { from = '', to = '' } = first ?? {};
  for (const range of others) {
    if (range.from < from) from = range.from;
    if (range.to > to) to = range.to;
  }
  return { from, to };
}

function limitOf(kv: KeyValue, log: RegistryAccess['log']): readonly (readonly [MachineId, number])[] {
  const parsed = parseKey(kv.key);
  const limit = findRecord(kv, log, decodeMachineSettings)?.maxUnits;
  return parsed?.kind === 'machine-settings' && limit !== undefined ? [[parsed.machine, limit]] : [];
}
