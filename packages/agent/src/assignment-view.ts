import { effectiveMetadata, type Machine } from '@flotilla/cluster';
import { FleetError } from '@flotilla/errors';
import {
  decodeRecord,
  type KeyValue,
  type MetadataRecord,
  parseKey,
  type RestartRecord,
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
  readonly modRevision: Revision;
}

/** An order to start a global unit once more on this machine alone. */
export interface OwnRestart {
  readonly record: RestartRecord;
  readonly modRevision: Revision;
}

/** What the records of the followed ranges say. */
interface Tables {
  readonly schedule: Map<UnitName, ScheduledUnit>;
  readonly globals: Map<UnitName, GlobalUnit>;
  readonly restarts: Map<UnitName, OwnRestart>;
  /** What was set of the machine's metadata, by key. */
  readonly overrides: Map<string, string>;
}

const noTables = (): Tables => ({
  schedule: new Map(),
  globals: new Map(),
  restarts: new Map(),
  overrides: new Map(),
});

/**
 * What the store has for this machine, kept by snapshot and events. A record that can't be read is logged, and what it is
 * about stays as it was.
 */
export class AssignmentView {
  readonly #machine: Pick<Machine, 'id' | 'metadata'>;
  readonly #log: Logger;
  readonly #removed = new Set<UnitName>();
  #tables = noTables();
  #revision: Revision = 0;
  #snapshots = 0;
  #removals = 0;
  #isCurrent = false;

  constructor(machine: Pick<Machine, 'id' | 'metadata'>, log: Logger) {
    this.#machine = machine;
    this.#log = log;
  }

  /** What to follow. */
  get ranges(): readonly WatchRange[] {
    const { id } = this.#machine;
    return [ranges.scheduleOf(id), ranges.globals, ranges.restartsOf(id), ranges.metadataOf(id)];
  }

  /** This machine, its metadata with what was set of it laid over. */
  get machine(): Pick<Machine, 'id' | 'metadata'> {
    const { id, metadata } = this.#machine;
    return { id, metadata: effectiveMetadata(metadata, this.#tables.overrides) };
  }

  get schedule(): ReadonlyMap<UnitName, ScheduledUnit> {
    return this.#tables.schedule;
  }

  get globals(): ReadonlyMap<UnitName, GlobalUnit> {
    return this.#tables.globals;
  }

  get restarts(): ReadonlyMap<UnitName, OwnRestart> {
    return this.#tables.restarts;
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

  /** How many records were seen deleted so far, of whatever kind: a store that is emptied is to be asked who it is. */
  get removals(): number {
    return this.#removals;
  }

  replace(kvs: readonly KeyValue[], revision: Revision): void {
    const old = this.#tables;
    this.#tables = noTables();
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
      if (event.kind === 'put') this.#put(event.kv, this.#tables);
      else this.#delete(event.key);
    }
    this.#revision = Math.max(this.#revision, revision);
  }

  #put(kv: KeyValue, old: Tables): void {
    const parsed = parseKey(kv.key);
    const { schedule, globals, restarts, overrides } = this.#tables;
    switch (parsed?.kind) {
      case 'schedule':
        this.#removed.delete(parsed.name);
        this.#set(kv, readScheduled, { key: parsed.name, table: schedule, old: old.schedule });
        break;
      case 'global':
        this.#removed.delete(parsed.name);
        this.#set(kv, readGlobal, { key: parsed.name, table: globals, old: old.globals });
        break;
      case 'restart':
        this.#set(kv, readRestart, { key: parsed.name, table: restarts, old: old.restarts });
        break;
      case 'metadata':
        this.#set(kv, readOverride, { key: parsed.key, table: overrides, old: old.overrides });
        break;
      default:
    }
  }

  #set<Key, Value>(kv: KeyValue, read: (kv: KeyValue) => Value, entry: Entry<Key, Value>): void {
    const { key, table, old } = entry;
    try {
      table.set(key, read(kv));
    } catch (error) {
      this.#log.warn('a record is ignored', { key: kv.key, error });
      const before = old.get(key);
      if (before !== undefined) table.set(key, before);
    }
  }

  #delete(key: string): void {
    const parsed = parseKey(key);
    const { schedule, globals, restarts, overrides } = this.#tables;
    switch (parsed?.kind) {
      case 'schedule':
      case 'global':
        (parsed.kind === 'schedule' ? schedule : globals).delete(parsed.name);
        if (!schedule.has(parsed.name) && !globals.has(parsed.name)) this.#removed.add(parsed.name);
        break;
      case 'metadata':
        overrides.delete(parsed.key);
        break;
      case 'restart':
        // It goes when it is done: no sign of a store that is emptied.
        restarts.delete(parsed.name);
        return;
      default:
        return;
    }
    this.#removals++;
  }
}

/** Where a record is kept, and where it was kept until now. */
interface Entry<Key, Value> {
  readonly key: Key;
  readonly table: Map<Key, Value>;
  readonly old: ReadonlyMap<Key, Value>;
}

function readScheduled({ key, value, modRevision }: KeyValue): ScheduledUnit {
  return { record: decodeRecord<ScheduleRecord>(key, value), modRevision };
}

function readGlobal({ key, value, createRevision, modRevision }: KeyValue): GlobalUnit {
  const record = decodeRecord<UnitRecord>(key, value);
  return { record, uid: record.uid ?? createRevision, modRevision };
}

function readRestart({ key, value, modRevision }: KeyValue): OwnRestart {
  return { record: decodeRecord<RestartRecord>(key, value), modRevision };
}

function readOverride({ key, value }: KeyValue): string {
  const { value: set } = decodeRecord<Partial<MetadataRecord>>(key, value);
  if (typeof set !== 'string') throw new FleetError('bad-record', `the value of ${key} has no value`);
  return set;
}
