import type { MachineId } from '@flotilla/cluster';
import { FleetError } from '@flotilla/errors';
import {
  type KeyValue,
  keys,
  type ParsedKey,
  type PlacementRecord,
  parseKey,
  type ReasonRecord,
  type Revision,
  type UnitRecord,
} from '@flotilla/registry';
import { noRequirements, parseUnitName, type UnitName } from '@flotilla/unit';
import { ClusterIndex } from './cluster-index.js';
import { FormerGlobals } from './former-globals.js';
import { type Entry, MirrorTable } from './mirror-table.js';
import { isLossKey, MirroredLosses } from './mirrored-losses.js';
import { MirroredMachines } from './mirrored-machines.js';
import {
  findHome,
  namesFile,
  readPlacementEntry,
  readReasonEntry,
  readScheduleEntry,
  readUnitEntry,
  unitOf,
} from './mirrored-records.js';
import { MirroredSchedule, type ScheduleEntry } from './mirrored-schedule.js';
import { isSettingsKey } from './mirrored-settings.js';
import { UnitFiles } from './unit-files.js';
import { UnitProblems } from './unit-problems.js';

/** What stands in the way of deciding about a unit, besides keys that can't be read. */
const fileProblem = 'unit file';
const copiesProblem = 'copies';

export interface MirrorStateListener {
  /** Something about the unit has changed that may change what is decided about it. */
  onTouched(name: UnitName): void;
  /** A machine has come, gone, or changed in a way that scheduling sees. */
  onMachineChanged(machine: MachineId): void;
  /** Something has changed that may change which machines are lost. */
  onAbsencesChanged(): void;
  /** A value that can't be read; what it is about is left alone. */
  onUnreadable(key: string, modRevision: Revision, error: unknown): void;
}

/**
 * The records that the leader works with, since one snapshot, and the {@link Cluster} that they make up. Puts and
 * deletes that are older than what is known are ignored.
 */
export class MirrorState {
  readonly files = new UnitFiles();
  readonly units = new MirrorTable<UnitName, UnitRecord>();
  readonly placements = new MirrorTable<UnitName, PlacementRecord>();
  readonly reasons = new MirrorTable<UnitName, ReasonRecord>();
  readonly machines: MirroredMachines;
  readonly schedule = new MirroredSchedule();
  readonly formerGlobals = new FormerGlobals();
  readonly losses: MirroredLosses;
  /** What the records make up; it changes with them. */
  readonly index: ClusterIndex;
  readonly #listener: MirrorStateListener;
  readonly #problems = new UnitProblems();

  constructor(listener: MirrorStateListener) {
    this.#listener = listener;
    this.index = new ClusterIndex(listener);
    this.machines = new MirroredMachines({
      index: this.index,
      onChanged: (machine) => this.#noteMachine(machine),
      onSettingsChanged: () => listener.onAbsencesChanged(),
      onUnreadable: listener.onUnreadable,
    });
    this.losses = new MirroredLosses({
      isAlive: (machine) => this.machines.isAlive(machine),
      onAway: (machine, isAway) => this.index.setAway(machine, isAway),
      onChanged: () => listener.onAbsencesChanged(),
    });
  }

  /** Every unit that there is anything to know about. */
  get names(): Set<UnitName> {
    return new Set([
      ...this.units.entries.keys(),
      ...this.placements.entries.keys(),
      ...this.schedule.names,
      ...this.reasons.entries.keys(),
    ]);
  }

  /** The revisions of a key as they are known here. */
  findEntry(parsed: ParsedKey): Entry<unknown> | undefined | 'not-mirrored' {
    switch (parsed.kind) {
      case 'unit':
        return this.units.get(parsed.name);
      case 'placement':
        return this.placements.get(parsed.name);
      case 'reason':
        return this.reasons.get(parsed.name);
      case 'schedule':
        return this.schedule.of(parsed.name).get(parsed.machine);
      case 'machine':
        return this.machines.get(parsed.machine);
      default:
        return isLossKey(parsed) ? this.losses.findEntry(parsed) : 'not-mirrored';
    }
  }

  /** Takes in a snapshot. */
  load(kvs: readonly KeyValue[]): void {
    this.index.load(() => {
      for (const kv of kvs) this.put(kv);
      this.#suspectWaiting();
    });
  }

  put(kv: KeyValue): void {
    const parsed = parseKey(kv.key);
    const name = parsed !== undefined && 'name' in parsed ? parsed.name : undefined;
    try {
      if (parsed === undefined) throw new FleetError('bad-record', `${kv.key} is not a key of this version`);
      if (name !== undefined) this.#setProblem(parseUnitName(name), kv.key, false);
      this.#put(parsed, kv);
      this.files.noteUser(kv.key, { isUnreadable: false });
    } catch (error) {
      if (namesFile(kv.key)) this.files.noteUser(kv.key, { isUnreadable: true });
      this.#listener.onUnreadable(kv.key, kv.modRevision, error);
      if (parsed?.kind === 'machine') this.machines.putUnreadable(parsed.machine);
      else if (name !== undefined && parsed?.kind !== 'reason') this.#setProblem(name, kv.key, true);
    }
  }

  /** `by` tells an own delete, entered when it is committed, from one that the watch tells of. */
  delete(key: string, revision: Revision, by: 'own' | 'watch'): void {
    this.files.noteUser(key, { isUnreadable: false });
    const parsed = parseKey(key);
    if (parsed === undefined) return;
    if (isLossKey(parsed)) this.losses.delete(parsed, revision, by);
    if (isSettingsKey(parsed)) this.machines.told.delete(parsed, revision);
    const method = by === 'own' ? 'deleteOwn' : 'delete';
    if ('name' in parsed && parsed.kind !== 'state') this.#setProblem(parsed.name, key, false);
    switch (parsed.kind) {
      case 'unit':
        this.#deleteUnit(parsed.name, revision);
        break;
      case 'unit-file':
        this.files.delete(parsed.sha256, revision);
        break;
      case 'placement':
        if (this.placements[method](parsed.name, revision)) this.index.setPlacement(parsed.name, undefined);
        break;
      case 'reason':
        if (this.reasons[method](parsed.name, revision)) this.#listener.onTouched(parsed.name);
        break;
      case 'schedule':
        this.#deleteSchedule(parsed, revision, method);
        break;
      case 'state':
        if (this.machines.isAlive(parsed.machine) && this.schedule.noteRowGone(parsed.name, parsed.machine, revision))
          this.#noteLeaving(parsed.name);
        break;
      case 'machine':
        for (const name of this.schedule.takeBackAnswers(parsed.machine, revision)) this.#noteLeaving(name);
        this.machines.delete(parsed.machine, revision);
    }
  }

  /** After a snapshot: nobody knows whether units that wait have been global a moment ago. */
  #suspectWaiting(): void {
    for (const [name, { record, modRevision }] of this.units.entries) {
      if (record.isGlobal || record.desiredState === 'inactive' || this.placements.entries.has(name)) continue;
      this.formerGlobals.suspect(name, modRevision);
      this.#setProblem(name, copiesProblem, true);
    }
  }

  /** Takes in which machines have a former global unit; `suspectedAt` is why they were asked. */
  noteCopies(name: UnitName, suspectedAt: Revision, machines: readonly MachineId[]): void {
    if (!this.formerGlobals.settle(name, suspectedAt)) return;
    // A unit that was written back from where it runs is to stay there.
    const isStray = (machine: MachineId) => machine !== findHome(this.units.get(name), this.machines.entries);
    this.schedule.setStrays(name, machines.filter(isStray));
    this.#noteLeaving(name);
    this.#setProblem(name, copiesProblem, false);
  }

  #put(parsed: ParsedKey, kv: KeyValue): void {
    if (isLossKey(parsed)) this.losses.put(parsed, kv);
    if (isSettingsKey(parsed)) this.machines.told.put(parsed, kv);
    switch (parsed.kind) {
      case 'unit-file':
        if (kv.modRevision <= this.files.revisionOf(parsed.sha256)) return;
        for (const name of this.files.put(parsed.sha256, kv.modRevision, kv.value)) this.#readUnit(name);
        break;
      case 'unit':
        if (this.units.isNews(parsed.name, kv.modRevision)) this.#putUnit(parsed.name, kv);
        break;
      case 'placement':
        if (this.placements.isNews(parsed.name, kv.modRevision)) this.#putPlacement(parsed.name, kv);
        break;
      case 'reason':
        if (!this.reasons.isNews(parsed.name, kv.modRevision)) return;
        this.reasons.put(parsed.name, readReasonEntry(kv));
        this.#listener.onTouched(parsed.name);
        break;
      case 'schedule':
        if (this.schedule.isNews(parsed.name, parsed.machine, kv.modRevision)) this.#putSchedule(parsed, kv);
        break;
      case 'machine':
        this.machines.put(parsed.machine, kv);
    }
  }

  #putPlacement(name: UnitName, kv: KeyValue): void {
    const entry = readPlacementEntry(kv);
    this.placements.put(name, entry);
    this.index.setPlacement(name, { machine: entry.record.machine, since: entry.modRevision });
  }

  #putUnit(name: UnitName, kv: KeyValue): void {
    const entry = readUnitEntry(kv);
    const previous = this.units.get(name);
    this.units.put(name, entry);
    this.formerGlobals.note(name, { isGlobal: entry.record.isGlobal, revision: entry.modRevision });
    this.files.use(entry.record.file);
    if (previous !== undefined) this.files.release(previous.record.file);
    this.#readUnit(name);
  }

  #deleteUnit(name: UnitName, revision: Revision): void {
    const previous = this.units.get(name);
    if (!this.units.delete(name, revision) || previous === undefined) return;
    this.formerGlobals.noteDestroyed(name);
    this.files.release(previous.record.file);
    this.#readUnit(name);
  }

  /** Makes the unit that scheduling sees from its record and its file. */
  #readUnit(name: UnitName): void {
    const entry = this.units.get(name);
    this.#setProblem(name, fileProblem, false);
    this.#setProblem(name, copiesProblem, this.formerGlobals.suspects.has(name));
    if (entry === undefined) {
      this.index.setUnit(name, undefined);
      return;
    }
    const { desiredState, file } = entry.record;
    const reading =
      desiredState === 'inactive'
        ? ({ kind: 'known', requirements: noRequirements } as const)
        : this.files.read(name, file);
    this.index.setUnit(name, reading.kind === 'known' ? unitOf(name, entry, reading.requirements) : undefined);
    if (reading.kind === 'known') return;
    this.#setProblem(name, fileProblem, true);
    if (reading.kind === 'bad') this.#listener.onUnreadable(keys.unit(name), entry.modRevision, reading.error);
  }

  #putSchedule({ name, machine }: Extract<ParsedKey, { kind: 'schedule' | 'state' }>, kv: KeyValue): void {
    const entry = readScheduleEntry(kv);
    const previous = this.schedule.of(name).get(machine);
    const now = this.schedule.put(name, machine, entry);
    this.#useScheduled(now, previous);
    this.#noteLeaving(name);
  }

  #deleteSchedule(
    { name, machine }: Extract<ParsedKey, { kind: 'schedule' | 'state' }>,
    revision: Revision,
    method: 'delete' | 'deleteOwn',
  ): void {
    const previous = this.schedule.of(name).get(machine);
    if (!this.schedule[method](name, machine, revision)) return;
    this.#useScheduled(undefined, previous);
    this.#noteLeaving(name);
  }

  /** An agent may be about to load what is scheduled to it, and what it leaves says how long that may take. */
  #useScheduled(now: ScheduleEntry | undefined, previous: ScheduleEntry | undefined): void {
    if (now !== undefined) this.files.use(now.record.file);
    if (previous !== undefined) this.files.release(previous.record.file);
  }

  #noteMachine(id: MachineId): void {
    this.losses.review(id);
    this.#listener.onMachineChanged(id);
  }

  /** The schedule of a unit has changed, and with it perhaps where it has yet to leave. */
  #noteLeaving(name: UnitName): void {
    this.index.setLeaving(name, this.schedule.leaving.get(name));
  }

  #setProblem(name: UnitName, problem: string, isProblem: boolean): void {
    const was = this.#problems.units.has(name);
    this.#problems.note(name, problem, isProblem);
    if (this.#problems.units.has(name) !== was) this.index.setUnreadableUnit(name, !was);
  }
}
