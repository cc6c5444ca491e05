import type { MachineId } from '@flotilla/cluster';
import { decodeMachine, decodeMetadata } from './checked-records.js';
import { chunks } from './chunks.js';
import { keys, parseKey, ranges } from './keys.js';
import { encodeRecord, type MachineRecord, type MetadataRecord } from './records.js';
import { findRecord, type RegistryAccess } from './registry-access.js';
import { type KeyValue, maxTransactionSize, type Operation } from './store.js';

/**
 * What becomes of one key of a machine's metadata. `unset`: the machine has it no more, whatever it says itself.
 * `reset`: what it says itself counts again.
 */
export type MetadataChange =
  | { readonly kind: 'set'; readonly value: string }
  | { readonly kind: 'unset' }
  | { readonly kind: 'reset' };

/** By machine, by key. The machines need not be there. */
export type MetadataChanges = ReadonlyMap<MachineId, ReadonlyMap<string, MetadataChange>>;

/** Where a machine's metadata comes from. */
export interface MetadataSources {
  /** From its own configuration; `undefined` if the machine is not there. */
  readonly own: ReadonlyMap<string, string> | undefined;
  /** What was set over it; an empty value hides the key. */
  readonly overrides: ReadonlyMap<string, string>;
}

/** Tries against machines that register meanwhile. */
const mostAttempts = 4;

interface Edit {
  readonly machine: MachineId;
  readonly key: string;
  readonly change: MetadataChange;
}

/**
 * Changes machines' metadata: up to 128 keys at once or not at all, more in parts of 128.
 *
 * @returns `conflict` if a machine's own record kept changing; parts before that one are done.
 * @throws StoreError; doing it again is harmless.
 */
export async function changeMetadata(
  access: RegistryAccess,
  changes: MetadataChanges,
): Promise<'changed' | 'conflict'> {
  const edits: Edit[] = [];
  for (const [machine, byKey] of changes) for (const [key, change] of byKey) edits.push({ machine, key, change });
  for (const part of chunks(edits, maxTransactionSize))
    if ((await changePart(access, part)) === 'conflict') return 'conflict';
  return 'changed';
}

/** A machine's own metadata, and what lies over it. */
export async function readMetadataSources(
  { store, log }: RegistryAccess,
  machine: MachineId,
): Promise<MetadataSources> {
  const { ranges: answers } = await store.transact({
    success: [
      { kind: 'range', from: keys.machine(machine) },
      { kind: 'range', ...ranges.metadataOf(machine) },
    ],
  });
  const [machines, metadata] = answers;
  const record = findRecord(machines?.kvs[0], log, decodeMachine);
  return {
    own: record && new Map(Object.entries(record.metadata)),
    overrides: overridesByMachine(metadata?.kvs ?? [], log).get(machine) ?? new Map(),
  };
}

/** What was set of machines' metadata, by machine, then key, from the keys of a `metadata/` range. */
export function overridesByMachine(
  kvs: readonly KeyValue[],
  log: RegistryAccess['log'],
): Map<MachineId, Map<string, string>> {
  const byMachine = new Map<MachineId, Map<string, string>>();
  for (const kv of kvs) {
    const parsed = parseKey(kv.key);
    const record = findRecord(kv, log, decodeMetadata);
    if (parsed?.kind !== 'metadata' || record === undefined) continue;
    const overrides = byMachine.get(parsed.machine) ?? new Map<string, string>();
    byMachine.set(parsed.machine, overrides.set(parsed.key, record.value));
  }
  return byMachine;
}

async function changePart({ store, log }: RegistryAccess, edits: readonly Edit[]): Promise<'changed' | 'conflict'> {
  const asked = [...new Set(edits.flatMap(({ machine, change }) => (change.kind === 'unset' ? [machine] : [])))];
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    const looks = asked.map((machine) => ({ kind: 'range', from: keys.machine(machine) }) as const);
    const found = looks.length === 0 ? [] : (await store.transact({ success: looks })).ranges.map(({ kvs }) => kvs[0]);
    const ownByMachine = new Map(asked.map((machine, at) => [machine, findRecord(found[at], log, decodeMachine)]));
    const { succeeded } = await store.transact({
      compares: asked.map((machine, at) => ({
        key: keys.machine(machine),
        on: 'mod-revision',
        equals: found[at]?.modRevision ?? 0,
      })),
      success: edits.map((edit) => toOperation(edit, ownByMachine.get(edit.machine))),
    });
    if (succeeded) return 'changed';
  }
  return 'conflict';
}

/** A machine that is not there may have the key in its configuration: then it is to be hidden when it comes. */
function toOperation({ machine, key, change }: Edit, record: MachineRecord | undefined): Operation {
  const at = keys.metadata(machine, key);
  const hasOwn = record === undefined || Object.hasOwn(record.metadata, key);
  if (change.kind === 'reset' || (change.kind === 'unset' && !hasOwn)) return { kind: 'delete', from: at };
  const value: MetadataRecord = { value: change.kind === 'set' ? change.value : '' };
  return { kind: 'put', key: at, value: encodeRecord(value) };
}
