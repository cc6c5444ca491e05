import {
  commitPlan,
  encodeRecord,
  keys,
  type LeaseId,
  maxTransactionSize,
  type Operation,
  type PlanOperation,
  type PlanWrite,
  type Store,
} from '@flotilla/registry';
import { type LayoutUnit, layoutMachines, placementOf, scheduleOf, stateOf } from './layout-units.js';
import { inFlight } from './stopwatch.js';

/** Transactions under way at once: where the rate stops growing on two cores. */
const transactionsInFlight = 8;
const singlesInFlight = 64;

export interface Submitted {
  /** The revision at which each unit was made. */
  readonly uids: ReadonlyMap<string, number>;
  /** Unit files are put again in each transaction that names them. */
  readonly puts: number;
}

/** Submits units, `perTransaction` in each. */
export async function submit(
  store: Store,
  units: readonly LayoutUnit[],
  perTransaction = maxTransactionSize / 2,
): Promise<Submitted> {
  const uids = new Map<string, number>();
  let puts = 0;
  const jobs = split(units, perTransaction).map((batch) => async () => {
    const files = new Map(batch.map(({ file }) => [file.sha256, file.bytes]));
    const { revision } = await store.transact({
      compares: batch.map(({ name }) => ({ key: keys.unit(name), on: 'mod-revision', equals: 0 })),
      success: [
        ...[...files].map(([sha256, value]): Operation => ({ kind: 'put', key: keys.unitFile(sha256), value })),
        ...batch.map(({ name, unit }): Operation => ({ kind: 'put', key: keys.unit(name), value: encodeRecord(unit) })),
      ],
    });
    for (const { name } of batch) uids.set(name, revision);
    puts += files.size + batch.length;
  });
  await inFlight(perTransaction === 1 ? singlesInFlight : transactionsInFlight, jobs);
  return { uids, puts };
}

/** Registers the machines under a lease each. */
export async function register(store: Store): Promise<LeaseId[]> {
  const leases: LeaseId[] = [];
  for (const id of layoutMachines) {
    const lease = (await store.grantLease(600)).id;
    leases.push(lease);
    const value = encodeRecord({
      address: '192.0.2.1',
      metadata: { role: 'worker' },
      version: '0',
      instance: id,
      boot: id,
    });
    await store.transact({ success: [{ kind: 'put', key: keys.machine(id), value, lease }] });
  }
  return leases;
}

export interface PlaceOptions {
  readonly units: readonly LayoutUnit[];
  readonly uids: ReadonlyMap<string, number>;
  /** Whether the agent's copy is written too, as in the layout, or only the placement. */
  readonly writes: 'placement and schedule' | 'placement only';
}

/** Places units as the leader does: fenced, compared with unit and machine. Returns how many were refused. */
export async function place(store: Store, { units, uids, writes }: PlaceOptions): Promise<number> {
  const leader = encodeRecord({ machine: layoutMachines[0] ?? '', address: '' });
  const { ranges } = await store.transact({
    success: [
      { kind: 'put', key: keys.leader, value: leader },
      { kind: 'range', from: keys.leader },
    ],
  });
  const fence = ranges[0]?.kvs[0]?.createRevision ?? 0;
  const machines = new Map<string, number>();
  for (const id of layoutMachines) {
    machines.set(id, (await store.range({ from: keys.machine(id) })).kvs[0]?.createRevision ?? 0);
  }
  let refused = 0;
  const outcome = await commitPlan({
    store,
    leadership: { fence, isFresh: () => true },
    writes: units.map((unit): PlanWrite => {
      const { name, machine } = unit;
      const uid = uids.get(name) ?? 0;
      const placement: PlanOperation = { kind: 'put', key: keys.placement(name), value: placementOf(unit) };
      const schedule: PlanOperation = { kind: 'put', key: keys.schedule(machine, name), value: scheduleOf(unit, uid) };
      return {
        unit: name,
        compares: [
          { key: keys.unit(name), on: 'mod-revision', equals: uid },
          { key: keys.machine(machine), on: 'create-revision', equals: machines.get(machine) ?? 0 },
        ],
        operations: writes === 'placement only' ? [placement] : [placement, schedule],
      };
    }),
    signal: new AbortController().signal,
    onCommitted: () => {},
    onRefused: () => refused++,
  });
  if (outcome !== 'done') throw new Error(`the plan was not committed: ${outcome}`);
  return refused;
}

export interface ReportOptions {
  readonly units: readonly LayoutUnit[];
  readonly uids: ReadonlyMap<string, number>;
  readonly leases: readonly LeaseId[];
  readonly perTransaction?: number;
}

/** Writes the units' states as their machines do, each machine its own under its own lease. */
export async function report(store: Store, options: ReportOptions): Promise<void> {
  const { units, uids, leases, perTransaction = maxTransactionSize } = options;
  const unitsOn = (machine: string) => units.filter((unit) => unit.machine === machine);
  const jobs = layoutMachines.flatMap((machine, at) => {
    const lease = leases[at] ?? '';
    return split(unitsOn(machine), perTransaction).map((batch) => () => {
      const success = batch.map((unit): Operation => {
        const value = stateOf(unit, uids.get(unit.name) ?? 0);
        return { kind: 'put', key: keys.state(unit.name, machine), value, lease };
      });
      return store.transact({ success });
    });
  });
  await inFlight(perTransaction === 1 ? singlesInFlight : transactionsInFlight, jobs);
}

/** Reads the records of units as agents would have to if the schedule did not tell all: by name, many in a call. */
export async function readUnits(store: Store, units: readonly LayoutUnit[]): Promise<void> {
  const jobs = split(units, maxTransactionSize).map(
    (batch) => () =>
      store.transact({ success: batch.map(({ name }): Operation => ({ kind: 'range', from: keys.unit(name) })) }),
  );
  await inFlight(transactionsInFlight, jobs);
}

function split<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, at) => items.slice(at * size, (at + 1) * size));
}
