import type { UnitName } from '@flotilla/unit';
import { keys, parseKey, ranges } from './keys.js';
import type { PlacementRecord, StateRecord } from './records.js';
import { findRecord, type RegistryAccess } from './registry-access.js';
import { type KeyValue, maxTransactionSize, type Operation, type RangeResult, type Revision } from './store.js';
import type { UnitBefore, UnitChange } from './unit-change.js';
import { decodeUnit } from './unit-reader.js';

/** A unit as it was found, and the revision at which the write of a change must find it. */
export interface Before extends UnitBefore {
  readonly modRevision: Revision;
}

/** What is known of a unit. */
export interface Seen {
  /** Absent if there is no such unit. */
  readonly before: Before | undefined;
  /** Whether placement and states of `before` were looked up. */
  readonly hasStates: boolean;
  /** Nobody has looked yet; the write that relies on it will find out. */
  readonly isAssumed: boolean;
}

/** Who is to be looked up, and what for. */
export interface Asked {
  readonly name: UnitName;
  readonly change: UnitChange;
}

/** The operations that look one unit up. */
export interface UnitRead<A extends Asked> {
  readonly asked: A;
  readonly operations: readonly Operation[];
}

/** What it takes to look a unit up with its states. */
const operationsWithStates = 3;

/** As many units can be looked up in a transaction, with states and without. */
export const mostReads = {
  withStates: Math.floor(maxTransactionSize / operationsWithStates),
  plain: maxTransactionSize,
};

/** How to look units up in one transaction; those that are to be launched or loaded come with their states if there is room. */
export function planReads<A extends Asked>(all: readonly A[]): readonly UnitRead<A>[] {
  const hasRoom = all.length <= mostReads.withStates;
  return all.map((asked) => {
    const { name, change } = asked;
    const record: Operation = { kind: 'range', from: keys.unit(name) };
    const states: readonly Operation[] = [
      { kind: 'range', from: keys.placement(name) },
      { kind: 'range', ...ranges.statesOf(name) },
    ];
    return { asked, operations: [record, ...(hasRoom && mayDependOnStates(change) ? states : [])] };
  });
}

/** The answers to planned reads, each with whom it is about. */
export function dealAnswers<A extends Asked>(
  reads: readonly UnitRead<A>[],
  answers: readonly RangeResult[],
): readonly { readonly asked: A; readonly kvs: readonly (readonly KeyValue[])[] }[] {
  let at = 0;
  return reads.map(({ asked, operations }) => {
    const own = answers.slice(at, at + operations.length);
    at += operations.length;
    return { asked, kvs: own.map(({ kvs }) => kvs) };
  });
}

/**
 * What an answer says of a unit.
 *
 * @throws FleetError `bad-record` if the unit's record can't be read.
 */
export function decodeSeen(
  name: UnitName,
  { kvs, readAt }: { readonly kvs: readonly (readonly KeyValue[])[]; readonly readAt: Revision },
  log: RegistryAccess['log'],
): Seen {
  const [units, placements, states] = kvs;
  const kv = units?.[0];
  if (kv === undefined) return { before: undefined, hasStates: true, isAssumed: false };
  const before = {
    ...decodeUnit(name, kv),
    modRevision: kv.modRevision,
    readAt,
    placement: findRecord<PlacementRecord>(placements?.[0], log)?.machine,
    states: new Map((states ?? []).flatMap((row) => stateEntry(row, log))),
  };
  return { before, hasStates: states !== undefined, isAssumed: false };
}

function mayDependOnStates({ desiredState }: UnitChange): boolean {
  return desiredState === 'launched' || desiredState === 'loaded';
}

function stateEntry(kv: KeyValue, log: RegistryAccess['log']) {
  const parsed = parseKey(kv.key);
  const record = findRecord<StateRecord>(kv, log);
  return parsed?.kind === 'state' && record !== undefined ? [[parsed.machine, record] as const] : [];
}
