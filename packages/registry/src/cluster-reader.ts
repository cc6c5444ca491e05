import type { MachineId } from '@flotilla/cluster';
import type { UnitName } from '@flotilla/unit';
import { keys, parseKey, ranges } from './keys.js';
import { getAll, type Page, type PageRequest, readKeyPage, retryIfCompacted } from './page.js';
import type { PlacementRecord, StateRecord } from './records.js';
import { findRecord, type RegistryAccess } from './registry-access.js';
import type { KeyValue } from './store.js';

/** A unit's state on one machine. */
export interface KnownUnitState {
  readonly name: UnitName;
  readonly machine: MachineId;
  readonly record: StateRecord;
}

/** What is wanted of the unit states; both may be combined. */
export interface UnitStateFilter {
  readonly name?: UnitName | undefined;
  readonly machine?: MachineId | undefined;
}

/**
 * A page of the unit states, by name, then machine. One range; with `machine` alone a walk over the keys of all states,
 * because nothing lists them by machine.
 */
export function listUnitStates(
  { store, log }: RegistryAccess,
  request: PageRequest & UnitStateFilter,
): Promise<Page<KnownUnitState>> {
  const { name, machine } = request;
  return retryIfCompacted(async () => {
    const { kvs, next } = await readKeyPage(store, {
      ...request,
      table: ranges.states,
      ...(name === undefined ? {} : { within: ranges.statesOf(name) }),
      accepts: machine === undefined ? undefined : (key) => isStateOn(key, machine),
    });
    return { entries: kvs.flatMap((kv) => decodeState(kv, log)), next };
  });
}

/**
 * One state of a unit: on the machine that it is placed on or, if it is placed on none (a global unit), on the first
 * one that has a state. `undefined` if there is none, or only that of an earlier unit of the same name. One
 * transaction, or two if the unit also has a state on another machine.
 */
export function findUnitState({ store, log }: RegistryAccess, name: UnitName): Promise<KnownUnitState | undefined> {
  return retryIfCompacted(async () => {
    const { ranges: answers, revision } = await store.transact({
      success: [
        { kind: 'range', from: keys.placement(name) },
        { kind: 'range', ...ranges.statesOf(name), limit: 1 },
        { kind: 'range', from: keys.unit(name), keysOnly: true },
      ],
    });
    const [placement, first, unit] = answers.map(({ kvs }) => kvs[0]);
    const machine = findRecord<PlacementRecord>(placement, log)?.machine;
    const key = machine === undefined ? first?.key : keys.state(name, machine);
    const isElsewhere = key !== undefined && key !== first?.key;
    const row = isElsewhere ? (await getAll(store, [key], revision)).get(key) : first;
    const [state] = row === undefined ? [] : decodeState(row, log);
    return unit === undefined || state?.record.uid === unit.createRevision ? state : undefined;
  });
}

function isStateOn(key: string, machine: MachineId): boolean {
  const parsed = parseKey(key);
  return parsed?.kind === 'state' && parsed.machine === machine;
}

function decodeState(kv: KeyValue, log: RegistryAccess['log']): readonly KnownUnitState[] {
  const parsed = parseKey(kv.key);
  const record = findRecord<StateRecord>(kv, log);
  return parsed?.kind === 'state' && record !== undefined
    ? [{ name: parsed.name, machine: parsed.machine, record }]
    : [];
}
