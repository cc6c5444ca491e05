import type { LaunchState, MachineId } from '@flotilla/cluster';
import type { UnitName } from '@flotilla/unit';
import { decodeLoss } from './checked-records.js';
import { keys, namesRange, parseKey, ranges, statesRange } from './keys.js';
import { getAll, type Page, type PageRequest, readKeyPage, retryIfCompacted } from './page.js';
import {
  decodeRecord,
  type LossRecord,
  type PlacementRecord,
  type ReasonRecord,
  type StateRecord,
  type UnitRecord,
} from './records.js';
import { findRecord, type RegistryAccess } from './registry-access.js';
import type { KeyRange, KeyValue, RangeResult, Revision } from './store.js';

/** A unit with all that is told of it to people, read at one revision. */
export interface KnownUnit {
  readonly name: UnitName;
  readonly record: UnitRecord;
  /** Create revision of its record: tells it from an earlier unit of the same name. */
  readonly uid: Revision;
  /** Where it belongs; never of a global unit. */
  readonly placement: MachineId | undefined;
  /** Its state row on the machine that it is placed on, unless that is of an earlier unit of the same name. */
  readonly state: StateRecord | undefined;
  readonly reason: ReasonRecord | undefined;
  /** What the leader makes of the machine that it is placed on, if that is gone. */
  readonly loss: LossRecord | undefined;
  /** The unit file's bytes, as submitted. `undefined` if they are lost, which is a fault in the store. */
  readonly file: Uint8Array | undefined;
}

/** What `units/<name>` says, before the rest is looked up. */
interface Found {
  readonly name: UnitName;
  readonly record: UnitRecord;
  readonly uid: Revision;
}

/** What stands beside a unit's record under other keys. */
interface Beside {
  readonly placement: MachineId | undefined;
  readonly reason: ReasonRecord | undefined;
}

/** A global unit has a state on each machine: what is read in vain for those is no more than twice the page. */
const statesPerUnit = 2;

const launchStates: readonly LaunchState[] = ['inactive', 'loaded', 'launched'];

/**
 * The unit `name`, in two transactions; `undefined` if there is none.
 *
 * @throws FleetError `bad-record` if what is stored under its name can't be read.
 */
export function findUnit({ store, log }: RegistryAccess, name: UnitName): Promise<KnownUnit | undefined> {
  return retryIfCompacted(async () => {
    const { ranges: answers, revision } = await store.transact({
      success: [keys.unit(name), keys.placement(name), keys.reason(name)].map((from) => ({ kind: 'range', from })),
    });
    const [unit, placement, reason] = answers.map(({ kvs }) => kvs[0]);
    if (unit === undefined) return undefined;
    const found = decodeUnit(name, unit);
    const beside = {
      placement: findRecord<PlacementRecord>(placement, log)?.machine,
      reason: findRecord<ReasonRecord>(reason, log),
    };
    const loss = beside.placement === undefined ? [] : [keys.loss(beside.placement)];
    const rest = await getAll(store, [...restKeys(found, beside), ...loss], revision);
    return { ...found, ...beside, ...findRest({ found, beside, rest, log }) };
  });
}

/**
 * A page of the units, by name. One range for the units, one transaction for where they are, why they wait and how they
 * fare there, and one for each 128 of their files and of the machines that report nothing of a unit that is placed there.
 * A unit whose record can't be read is logged and left out.
 */
export function listUnits({ store, log }: RegistryAccess, request: PageRequest): Promise<Page<KnownUnit>> {
  return retryIfCompacted(async () => {
    const { kvs, next, revision } = await readKeyPage(store, { ...request, table: ranges.units });
    const found = kvs.flatMap((kv) => decodeListed(kv, log));
    const [first, last] = [found[0], found.at(-1)];
    if (first === undefined || last === undefined) return { entries: [], next };
    const states = statesRange(first.name, last.name);
    const { ranges: answers } = await store.transact({
      success: [
        { kind: 'range', ...namesRange('placement', first.name, last.name), revision },
        { kind: 'range', ...namesRange('reason', first.name, last.name), revision },
        { kind: 'range', ...states, revision, limit: statesPerUnit * found.length },
      ],
    });
    const kvByKey = new Map(answers.flatMap((answer) => answer.kvs).map((kv) => [kv.key, kv]));
    const isRead = isWithin(states, answers.at(-1));
    const listed = found.map((each) => ({
      found: each,
      beside: {
        placement: findRecord<PlacementRecord>(kvByKey.get(keys.placement(each.name)), log)?.machine,
        reason: findRecord<ReasonRecord>(kvByKey.get(keys.reason(each.name)), log),
      },
    }));
    const wanted = new Set(listed.flatMap((each) => restKeys(each.found, each.beside)).filter((key) => !isRead(key)));
    const read = new Map([...kvByKey, ...(await getAll(store, [...wanted], revision))]);
    const rest = new Map([...read, ...(await getAll(store, lossKeys(listed, read), revision))]);
    const entries = listed.map((each) => ({ ...each.found, ...each.beside, ...findRest({ ...each, rest, log }) }));
    return { entries, next };
  });
}

/** Whether a key is among those that a read of `range` has answered, be it there or not. */
function isWithin({ from, to }: Required<KeyRange>, answer: RangeResult | undefined): (key: string) => boolean {
  const last = answer?.hasMore === true ? answer.kvs.at(-1)?.key : undefined;
  const end = last === undefined ? to : `${last}\0`;
  return (key) => key >= from && key < end;
}

/** A unit's record. A desired state that is none, of whatever origin, is `inactive`: the unit can be seen and deleted. */
export function decodeUnit(name: UnitName, kv: KeyValue): Found {
  const record = decodeRecord<UnitRecord>(kv.key, kv.value);
  const desiredState = launchStates.find((state) => state === record.desiredState) ?? 'inactive';
  return { name, record: { ...record, desiredState }, uid: kv.createRevision };
}

function decodeListed(kv: KeyValue, log: RegistryAccess['log']): readonly Found[] {
  const parsed = parseKey(kv.key);
  if (parsed?.kind !== 'unit') return [];
  try {
    return [decodeUnit(parsed.name, kv)];
  } catch (error) {
    log.warn('a unit is left out of the list', { unit: parsed.name, error });
    return [];
  }
}

/** Keys that can be read only when the unit's record and placement are known. */
function restKeys({ name, record }: Found, { placement }: Beside): readonly string[] {
  const file = keys.unitFile(record.file);
  return placement === undefined ? [file] : [file, keys.state(name, placement)];
}

/** Of the machines that units are placed on and have no state row on: those of a machine go when it does. */
function lossKeys(listed: readonly Listed[], read: ReadonlyMap<string, KeyValue>): readonly string[] {
  const silent = listed.flatMap(({ found: { name }, beside: { placement } }) =>
    placement === undefined || read.has(keys.state(name, placement)) ? [] : [keys.loss(placement)],
  );
  return [...new Set(silent)];
}

interface Listed {
  readonly found: Found;
  readonly beside: Beside;
}

function findRest(of: {
  readonly found: Found;
  readonly beside: Beside;
  readonly rest: ReadonlyMap<string, KeyValue>;
  readonly log: RegistryAccess['log'];
}): Pick<KnownUnit, 'state' | 'loss' | 'file'> {
  const { name, record, uid } = of.found;
  const { placement } = of.beside;
  const row = placement === undefined ? undefined : of.rest.get(keys.state(name, placement));
  const state = findRecord<StateRecord>(row, of.log);
  const loss = placement === undefined ? undefined : of.rest.get(keys.loss(placement));
  return {
    state: state?.uid === uid ? state : undefined,
    loss: findRecord(loss, of.log, decodeLoss),
    file: of.rest.get(keys.unitFile(record.file))?.value,
  };
}
