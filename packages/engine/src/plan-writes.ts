import type { MachineId } from '@flotilla/cluster';
import {
  type Compare,
  encodeRecord,
  keys,
  type PlanOperation,
  type PlanWrite,
  type Revision,
  type ScheduleRecord,
  type UnitRecord,
} from '@flotilla/registry';
import type { UnitName } from '@flotilla/unit';
import { compareText } from './compare-text.js';
import { isLost } from './lost-machines.js';
import type { Mirror } from './mirror.js';
import type { Entry } from './mirror-table.js';
import { hasLeft, type ScheduleEntry } from './mirrored-schedule.js';
import type { Plan } from './plan.js';

/** A unit has one schedule key, or two while it moves. More are left over from faults, and are cleared bit by bit. */
const mostScheduleKeysAtOnce = 32;

export interface PlanWritesInput {
  readonly plan: Plan;
  readonly mirror: Mirror;
  /** Epoch milliseconds: when a unit that waits now has begun to. */
  readonly nowMs: number;
}

/**
 * What has to be written so that the store says what the plan says, and the schedule says what the units say. Units
 * of one machine are neighbours. Nothing is written about a unit that stands as it should.
 */
export function planWrites({ plan, mirror, nowMs }: PlanWritesInput): PlanWrite[] {
  const targets = new Map<UnitName, MachineId | undefined>();
  for (const decision of plan.decisions)
    targets.set(decision.unit, decision.kind === 'schedule' ? decision.machine : undefined);
  const found: { readonly write: PlanWrite; readonly name: UnitName; readonly machine: string }[] = [];
  for (const name of plan.lookedAt) {
    if (mirror.cluster.unreadable.units.has(name) || mirror.isRefused(name)) continue;
    const placed = mirror.state.placements.get(name)?.record.machine;
    const target = targets.has(name) ? targets.get(name) : placed;
    const writer = new UnitWriter(mirror, name);
    writer.place(target);
    writer.schedule(target);
    writer.explain(plan, nowMs);
    const write = writer.finish();
    if (write !== undefined) found.push({ write, name, machine: target ?? placed ?? '' });
  }
  const inOrder = found.sort((a, b) => compareText(a.machine, b.machine) || compareText(a.name, b.name));
  return inOrder.map(({ write }) => write);
}

/** Deletes the unit files that nobody uses, each as long as nobody has put it again. */
export function unusedFileWrites(mirror: Mirror): PlanWrite[] {
  return mirror.unusedFiles().map(({ sha256, modRevision }) => ({
    unit: undefined,
    compares: [{ key: keys.unitFile(sha256), on: 'mod-revision', equals: modRevision }],
    operations: [{ kind: 'delete', key: keys.unitFile(sha256) }],
  }));
}

/** Collects what has to be written about one unit, with what each part relies on. */
class UnitWriter {
  readonly #mirror: Mirror;
  readonly #name: UnitName;
  readonly #unit: Entry<UnitRecord> | undefined;
  readonly #compares: Compare[] = [];
  readonly #operations: PlanOperation[] = [];
  #movesPlacement = false;

  constructor(mirror: Mirror, name: UnitName) {
    this.#mirror = mirror;
    this.#name = name;
    this.#unit = mirror.state.units.get(name);
  }

  place(target: MachineId | undefined): void {
    const placement = this.#mirror.state.placements.get(this.#name);
    const placed = placement?.record.machine;
    if (placed === target) return;
    const key = keys.placement(this.#name);
    this.#movesPlacement = true;
    this.#compares.push({ key, on: 'mod-revision', equals: placement?.modRevision ?? 0 });
    if (placed !== undefined && isLost(placed, this.#mirror.cluster)) this.#compareMachine(placed);
    if (target === undefined) this.#operations.push({ kind: 'delete', key });
    else this.#put(key, { machine: target });
  }

  schedule(target: MachineId | undefined): void {
    const { schedule } = this.#mirror.state;
    const entries = schedule.of(this.#name);
    if (target !== undefined && this.#unit !== undefined) this.#scheduleAt(target, this.#unit, entries.get(target));
    for (const entry of [...entries.values()].slice(0, mostScheduleKeysAtOnce)) {
      if (entry.machine !== target) this.#takeOff(entry);
    }
    for (const machine of this.#findStrays(entries).slice(0, mostScheduleKeysAtOnce)) {
      if (machine !== target && this.#unit !== undefined) this.#callBack(machine, this.#unit);
    }
  }

  explain({ blocked, idleGlobals }: Plan, nowMs: number): void {
    const reason = blocked.get(this.#name) ?? idleGlobals.get(this.#name);
    const known = this.#mirror.state.reasons.get(this.#name)?.record;
    const key = keys.reason(this.#name);
    if (reason === undefined) {
      if (known !== undefined) this.#operations.push({ kind: 'delete', key });
    } else if (known?.machines !== reason.machines || !isSameCount(known.misfits, reason.misfits)) {
      this.#put(key, { since: known?.since ?? nowMs, machines: reason.machines, misfits: reason.misfits });
    }
  }

  finish(): PlanWrite | undefined {
    if (this.#operations.length === 0) return undefined;
    const unit: Compare = {
      key: keys.unit(this.#name),
      on: 'mod-revision',
      equals: this.#unit?.modRevision ?? 0,
    };
    return { unit: this.#name, compares: [unit, ...this.#compares], operations: this.#operations };
  }

  /** Rewrites the record in place if the unit's order, file or desired state has changed. */
  #scheduleAt(target: MachineId, unit: Entry<UnitRecord>, entry: ScheduleEntry | undefined): void {
    const wanted = scheduleRecord(unit, { isLeaving: false });
    if (entry !== undefined && isSameSchedule(entry.record, wanted)) return;
    if (entry !== undefined && entry.record.file !== wanted.file && this.#isStopping(target)) {
      this.#takeOff(entry);
      return;
    }
    this.#compareSchedule(target, entry?.modRevision ?? 0);
    if (this.#mirror.cluster.machines.has(target)) this.#compareMachine(target);
    this.#put(keys.schedule(target, this.#name), wanted);
  }

  /** From a live machine a unit is first asked to leave; when it has answered, the record goes. */
  #takeOff(entry: ScheduleEntry): void {
    const { machine, modRevision, record } = entry;
    const key = keys.schedule(machine, this.#name);
    if (this.#isStopping(machine)) {
      if (record.isLeaving) return;
      this.#compareSchedule(machine, modRevision);
      this.#put(key, { ...record, isLeaving: true });
    } else if (isLost(machine, this.#mirror.cluster)) {
      this.#compareSchedule(machine, modRevision);
      this.#compareMachine(machine);
      this.#operations.push({ kind: 'delete', key });
    } else if (hasLeft(entry)) {
      this.#compareSchedule(machine, modRevision);
      // The row may have gone with the machine's lease, which the watch has yet to tell.
      if (this.#mirror.cluster.machines.has(machine)) this.#compareMachine(machine);
      this.#operations.push({ kind: 'delete', key });
    } else if (!record.isLeaving) {
      this.#compareSchedule(machine, modRevision);
      this.#put(key, { ...record, isLeaving: true });
    } else if (this.#mirror.isUnanswered(this.#name, machine) && !this.#mirror.cluster.away.has(machine)) {
      // With a state row the agent is at it, and deletes the row when it is done; without one it may have done so
      // when nobody was looking, and is asked once more.
      this.#compares.push({ key: keys.state(this.#name, machine), on: 'create-revision', equals: 0 });
      this.#compareSchedule(machine, modRevision);
      this.#put(key, record);
    }
  }

  /** On a machine that is gone. What that was told to run says until when, to the next leader as well. */
  #isStopping(machine: MachineId): boolean {
    return this.#mirror.cluster.stopping.get(this.#name)?.machine === machine;
  }

  /** The machines that have the unit although the schedule does not say so; one may be where it is placed. */
  #findStrays(entries: ReadonlyMap<MachineId, ScheduleEntry>): MachineId[] {
    const { placements, schedule } = this.#mirror.state;
    const placed = placements.get(this.#name)?.record.machine;
    const unscheduled = placed === undefined || entries.has(placed) ? [] : [placed];
    return [...new Set([...unscheduled, ...schedule.straysOf(this.#name)])];
  }

  /** A machine that the schedule does not know of is told to let the unit go. */
  #callBack(machine: MachineId, unit: Entry<UnitRecord>): void {
    if (isLost(machine, this.#mirror.cluster)) return;
    this.#compareSchedule(machine, 0);
    this.#put(keys.schedule(machine, this.#name), scheduleRecord(unit, { isLeaving: true }));
  }

  /** A write that moves the placement is guarded by the placement's own revision. */
  #compareSchedule(machine: MachineId, revision: Revision): void {
    if (this.#movesPlacement) return;
    this.#compares.push({ key: keys.schedule(machine, this.#name), on: 'mod-revision', equals: revision });
  }

  #compareMachine(machine: MachineId): void {
    const equals = this.#mirror.state.machines.get(machine)?.createRevision ?? 0;
    this.#compares.push({ key: keys.machine(machine), on: 'create-revision', equals });
  }

  #put(key: string, record: object): void {
    this.#operations.push({ kind: 'put', key, value: encodeRecord(record) });
  }
}

function scheduleRecord(
  { record, createRevision }: Entry<UnitRecord>,
  { isLeaving }: Pick<ScheduleRecord, 'isLeaving'>,
): ScheduleRecord {
  const { hash, file, desiredState, order, uid = createRevision } = record;
  return { hash, file, desiredState, order, uid, isLeaving };
}

function isSameSchedule(a: ScheduleRecord, b: ScheduleRecord): boolean {
  return (
    a.hash === b.hash &&
    a.file === b.file &&
    a.desiredState === b.desiredState &&
    a.order === b.order &&
    a.uid === b.uid &&
    a.isLeaving === b.isLeaving
  );
}

function isSameCount(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): boolean {
  const kinds = Object.keys(a);
  return kinds.length === Object.keys(b).length && kinds.every((kind) => a[kind] === b[kind]);
}
