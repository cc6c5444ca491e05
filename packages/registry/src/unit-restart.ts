import type { MachineId } from '@flotilla/cluster';
import { type UnitName, unitNameParts } from '@flotilla/unit';
import { keys } from './keys.js';
import { encodeRecord, type PlacementRecord, type RestartRecord, type StateRecord } from './records.js';
import { findRecord, type RegistryAccess } from './registry-access.js';
import { type Compare, type KeyValue, type Operation, type Revision, StoreError } from './store.js';
import { changedRecord, nextOrder } from './unit-change.js';
import { decodeUnit } from './unit-reader.js';
import { toUnitWrite } from './unit-write.js';

/**
 * Why a restart is not ordered: there is no such unit (`absent`), a template never runs, nobody wants the unit to be on a
 * machine (`inactive`), it is on another machine than was said (`elsewhere`), there is no such machine (`no-machine`), the
 * machine has no copy of the global unit (`not-there`), all copies of it are to be stopped (`not-launched`); `conflict`: others
 * kept changing it meanwhile.
 */
export type RestartRefusal =
  | 'absent'
  | 'template'
  | 'inactive'
  | 'elsewhere'
  | 'no-machine'
  | 'not-there'
  | 'not-launched'
  | 'conflict';

/** What came of asking for a restart. */
export type RestartOutcome =
  /** `order`: its number; done where the state row says that, or a larger one. `machine`: where the unit belongs. */
  | { readonly kind: 'ordered'; readonly order: number; readonly machine: MachineId | undefined }
  | { readonly kind: 'refused'; readonly why: RestartRefusal };

/** What a restart is decided on, read at one revision. */
export interface RestartSources {
  readonly unit: (ReturnType<typeof decodeUnit> & { readonly modRevision: Revision }) | undefined;
  readonly placement: MachineId | undefined;
  readonly readAt: Revision;
  /** Of the machine that was named, if one was. */
  readonly there: {
    readonly created: Revision;
    readonly state: StateRecord | undefined;
    readonly restart: RestartRecord | undefined;
    /** The revision of that order; 0 if there is none. */
    readonly ordered: Revision;
  };
}

/** Tries against other writers of the same unit. */
const mostAttempts = 8;

/**
 * Orders a unit to be started once more, whether it runs or not: on its machine, or, of a global unit, on `machine` alone if
 * one is given, else on all. Who finds that another one has just ordered the same is content with that order: it is not
 * carried out yet, or was given after this was asked for.
 *
 * One read, and one transaction that writes.
 *
 * @throws StoreError; `uncertain` only if the order may or may not have been given.
 * @throws FleetError `bad-record` if what is stored under the name can't be read.
 */
export async function restartUnit(
  access: RegistryAccess,
  name: UnitName,
  machine?: MachineId,
): Promise<RestartOutcome> {
  const reads = planReads(name, machine);
  let sources = decode(access, name, await access.store.transact({ success: reads }));
  let asked: Asked | undefined;
  let unanswered: StoreError | undefined;
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    const refusal = refuse(name, sources, machine);
    if (refusal !== undefined) return { kind: 'refused', why: refusal };
    const done = asked === undefined ? undefined : findOrder(sources, asked);
    if (done !== undefined) return { kind: 'ordered', order: done, machine: machine ?? sources.placement };
    const { unit, placement } = sources;
    if (unit === undefined) break;
    const order = nextOrder({ record: unit.record, readAt: sources.readAt });
    asked = { uid: unit.uid, order, machine: unit.record.isGlobal ? machine : undefined };
    try {
      const answer = await access.store.transact({ ...toWrite(name, sources, asked), failure: reads });
      if (answer.succeeded) return { kind: 'ordered', order, machine: machine ?? placement };
      sources = decode(access, name, answer);
    } catch (error) {
      if (!(error instanceof StoreError && error.kind === 'uncertain')) throw error;
      // It may come late: then it finds what is written next, or that finds it.
      unanswered = error;
      const seen = await look(access, name, reads);
      if (seen === undefined) throw error;
      sources = seen;
    }
  }
  if (unanswered !== undefined) throw unanswered;
  return { kind: 'refused', why: 'conflict' };
}

interface Asked {
  readonly uid: Revision;
  readonly order: number;
  /** Of a global unit only: the one machine that is meant. */
  readonly machine: MachineId | undefined;
}

/** Why a restart can't be ordered, if so. */
export function refuse(
  name: UnitName,
  { unit, placement, there }: RestartSources,
  machine: MachineId | undefined,
): RestartRefusal | undefined {
  if (unit === undefined) return 'absent';
  const { isGlobal, desiredState } = unit.record;
  if (unitNameParts(name).isTemplate) return 'template';
  if (desiredState === 'inactive') return 'inactive';
  if (machine === undefined) return undefined;
  if (!isGlobal) return machine === placement ? undefined : 'elsewhere';
  if (there.created === 0) return 'no-machine';
  if (desiredState !== 'launched') return 'not-launched';
  return there.state?.uid === unit.uid ? undefined : 'not-there';
}

/** The number by which what was asked has been ordered, by whomever, if it has. */
function findOrder({ unit, there }: RestartSources, asked: Asked): number | undefined {
  if (unit?.uid !== asked.uid || unit.record.desiredState !== 'launched') return undefined;
  const own = asked.machine === undefined ? [] : [there.restart, there.state];
  const orders = own.flatMap((each) => (each?.uid === asked.uid ? [each.order] : []));
  const order = Math.max(unit.record.order, ...orders);
  return order >= asked.order ? order : undefined;
}

function toWrite(name: UnitName, { unit, readAt, there }: RestartSources, { uid, order, machine }: Asked) {
  if (unit === undefined) return { success: [] };
  if (machine === undefined) {
    const before = { ...unit, readAt, placement: undefined, states: new Map() };
    const changed = { ...changedRecord(unit.record), desiredState: 'launched', order } as const;
    const decision = { kind: 'write', effect: 'updated', record: changed, file: undefined } as const;
    const { compares, operations } = toUnitWrite(name, { before, decision });
    return { compares, success: operations };
  }
  const restart: RestartRecord = { uid, order };
  const compares: readonly Compare[] = [
    { key: keys.unit(name), on: 'mod-revision', equals: unit.modRevision },
    { key: keys.machine(machine), on: 'create-revision', equals: there.created },
    { key: keys.restart(machine, name), on: 'mod-revision', equals: there.ordered },
  ];
  const put: Operation = { kind: 'put', key: keys.restart(machine, name), value: encodeRecord(restart) };
  return { compares, success: [put] };
}

function planReads(name: UnitName, machine: MachineId | undefined): readonly Operation[] {
  const own = [keys.unit(name), keys.placement(name)];
  const there =
    machine === undefined ? [] : [keys.machine(machine), keys.state(name, machine), keys.restart(machine, name)];
  return [...own, ...there].map((from) => ({ kind: 'range', from }));
}

async function look(access: RegistryAccess, name: UnitName, reads: readonly Operation[]) {
  try {
    return decode(access, name, await access.store.transact({ success: reads }));
  } catch {
    // That the order may have been given weighs more than why that can't be seen.
    return undefined;
  }
}

function decode(
  { log }: RegistryAccess,
  name: UnitName,
  {
    ranges,
    revision,
  }: { readonly ranges: readonly { readonly kvs: readonly KeyValue[] }[]; readonly revision: Revision },
): RestartSources {
  const [unit, placement, machine, state, restart] = ranges.map(({ kvs }) => kvs[0]);
  return {
    unit: unit && { ...decodeUnit(name, unit), modRevision: unit.modRevision },
    placement: findRecord<PlacementRecord>(placement, log)?.machine,
    readAt: revision,
    there: {
      created: machine?.createRevision ?? 0,
      state: findRecord<StateRecord>(state, log),
      restart: findRecord<RestartRecord>(restart, log),
      ordered: restart?.modRevision ?? 0,
    },
  };
}
