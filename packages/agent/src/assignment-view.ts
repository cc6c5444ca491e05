import type { MachineId } from '@flotilla/cluster';
import {
  decodeRecord,
  type KeyValue,
  parseKey,
  type Revision,
  ranges,
  type ScheduleRecord,
  type UnitRecord,
  type WatchEvent,
  type WatchRange,
} from '@flotilla/registry';
import type { Logger } from '@flotilla/runtime';
import type { UnitName } from '@flotilla/unit';

/** A unit that is scheduled to this machine. */
export interface ScheduledUnit {
  readonly record: ScheduleRecord;
  readonly modRevision: Revision;
}

/** A global unit, whether it fits this machine or not. */
export interface GlobalUnit {
  readonly record: UnitRecord;
  /** The unit's identity: the create revision of its first record. */
  readonly uid: Revision;
}

/**
 * What the store has for this machine, kept by snapshot and events. A record that can't be read is logged, and the
 * unit keeps the one that it had.
 */
export class AssignmentView {
  readonly #machine: MachineId;
  readonly #log: Logger;
  readonly #schedule = new Map<UnitName, ScheduledUnit>();
  readonly #globals = new Map<UnitName, GlobalUnit>();
  readonly #removed = new Set<UnitName>();
  #revision: Revision = 0;
  #snapshots = 0;
  #removals = 0;
  #isCurrent = false;

  constructor(machine: MachineId, log: Logger) {
    this.#machine = machine;
    this.#log = log;
  }

  /** What to follow. */
  get ranges(): readonly WatchRange[] {
    return [ranges.scheduleOf(this.#machine), ranges.globals];
  }

  get schedule(): ReadonlyMap<UnitName, ScheduledUnit> {
    return this.#schedule;
  }

  get globals(): ReadonlyMap<UnitName, GlobalUnit> {
    return this.#globals;
  }

  /** Units whose record was seen deleted since the last snapshot, and that have no other; see {@link keepRemoved}. */
  get removed(): ReadonlySet<UnitName> {
    return this.#removed;
  }

  get revision(): Revision {
    return this.#revision;
  }

  /** Whether this is what the store has, but for what is on its way: a snapshot came, and the watch since holds. */
  get isCurrent(): boolean {
    return this.#isCurrent;
  }

  /** How many snapshots came. */
  get snapshots(): number {
    return this.#snapshots;
  }

  /** How many records were seen deleted so far. */
  get removals(): number {
    return this.#removals;
  }

  replace(kvs: readonly KeyValue[], revision: Revision): void {
    const old = { schedule: new Map(this.#schedule), globals: new Map(this.#globals) };
    this.#schedule.clear();
    this.#globals.clear();
    this.#removed.clear();
    for (const kv of kvs) this.#put(kv, old);
    this.#revision = revision;
    this.#snapshots++;
    this.#isCurrent = true;
  }

  /** The watch has broken: until the next snapshot nobody knows what else the store has. */
  lose(): void {
    this.#isCurrent = false;
  }

  /** Drops from {@link removed} all units but these: most global units that are destroyed were never here. */
  keepRemoved(names: { has(name: UnitName): boolean }): void {
    for (const name of this.#removed) if (!names.has(name)) this.#removed.delete(name);
  }

  apply(events: readonly WatchEvent[], revision: Revision): void {
    for (const event of events) {
      if (event.kind === 'put') this.#put(event.kv, { schedule: this.#schedule, globals: this.#globals });
      else this.#delete(event.key);
    }
    this.#revision = Math.max(this.#revision, revision);
  }

  #put(kv: KeyValue, old: { schedule: Map<UnitName, ScheduledUnit>; globals: Map<UnitName, GlobalUnit> }): void {
    const parsed = parseKey(kv.key);
    if (parsed?.kind !== 'schedule' && parsed?.kind !== 'global') return;
    const { name } = parsed;
    this.#removed.delete(name);
    try {
      if (parsed.kind === 'schedule') {
        const record = decodeRecord<ScheduleRecord>(kv.key, kv.value);
        this.#schedule.set(name, { record, modRevision: kv.modRevision });
      } else {
        const record = decodeRecord<UnitRecord>(kv.key, kv.value);
        this.#globals.set(name, { record, uid: record.uid ?? kv.createRevision });
      }
    } catch (error) {
      this.#log.warn('a record is ignored', { key: kv.key, error });
      const [scheduled, global] = [old.schedule.get(name), old.globals.get(name)];
      if (parsed.kind === 'schedule' && scheduled !== undefined) this.#schedule.set(name, scheduled);
      if (parsed.kind === 'global' && global !== undefined) this.#globals.set(name, global);
    }
  }

  #delete(key: string): void {
    const parsed = parseKey(key);
    if (parsed?.kind === 'schedule') this.#schedule.delete(parsed.name);
    else if (parsed?.kind === 'global') this.#globals.delete(parsed.name);
    else return;
    this.#removals++;
    if (!this.#schedule.has(parsed.name) && !this.#globals.has(parsed.name)) this.#removed.add(parsed.name);
  }
}
