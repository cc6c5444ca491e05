import type { MachineId } from '@flotilla/cluster';
import type { Revision, ScheduleRecord } from '@flotilla/registry';
import type { UnitName } from '@flotilla/unit';
import { type Entry, MirrorTable } from './mirror-table.js';

/** A schedule record, and what is known of the unit's leaving. */
export interface ScheduleEntry extends Entry<ScheduleRecord> {
  readonly machine: MachineId;
  /** When the state row of the unit on the machine was deleted last; 0 if that was never seen. */
  readonly rowGoneAt: Revision;
}

const noEntries: ReadonlyMap<MachineId, ScheduleEntry> = new Map();

/** The schedule of all machines, by unit and by machine. */
export class MirroredSchedule {
  readonly #table = new MirrorTable<string, ScheduleRecord, ScheduleEntry>();
  readonly #byUnit = new Map<UnitName, Map<MachineId, ScheduleEntry>>();
  readonly #byMachine = new Map<MachineId, Set<UnitName>>();
  readonly #strays = new Map<UnitName, Set<MachineId>>();
  readonly #leaving = new Map<UnitName, ReadonlySet<MachineId>>();

  /** The machines that a unit was, or is to be, told to leave, without having answered yet. Units that leave none have no entry. */
  get leaving(): ReadonlyMap<UnitName, ReadonlySet<MachineId>> {
    return this.#leaving;
  }

  get names(): Iterable<UnitName> {
    return this.#byUnit.keys();
  }

  /** Those that have any unit. */
  get machines(): Iterable<MachineId> {
    return this.#byMachine.keys();
  }

  of(name: UnitName): ReadonlyMap<MachineId, ScheduleEntry> {
    return this.#byUnit.get(name) ?? noEntries;
  }

  on(machine: MachineId): Iterable<UnitName> {
    return this.#byMachine.get(machine) ?? [];
  }

  countOn(machine: MachineId): number {
    return this.#byMachine.get(machine)?.size ?? 0;
  }

  isNews(name: UnitName, machine: MachineId, revision: Revision): boolean {
    return this.#table.isNews(tableKey(name, machine), revision);
  }

  /** Enters a record. The answer: the entry as it stands now; the unit may have left already. */
  put(name: UnitName, machine: MachineId, entry: Entry<ScheduleRecord>): ScheduleEntry {
    const rowGoneAt = this.of(name).get(machine)?.rowGoneAt ?? 0;
    return this.#enter(name, { ...entry, machine, rowGoneAt });
  }

  delete(name: UnitName, machine: MachineId, revision: Revision): boolean {
    return this.#table.delete(tableKey(name, machine), revision) && this.#forget(name, machine);
  }

  deleteOwn(name: UnitName, machine: MachineId, revision: Revision): boolean {
    return this.#table.deleteOwn(tableKey(name, machine), revision) && this.#forget(name, machine);
  }

  /**
   * Notes that a state row is gone; whether that answers an order. Only of a machine that is alive: rows also go with
   * the lease of theirs, which may be told earlier or later, and answers nothing.
   */
  noteRowGone(name: UnitName, machine: MachineId, revision: Revision): boolean {
    const entry = this.of(name).get(machine);
    return entry !== undefined && this.#enter(name, { ...entry, rowGoneAt: revision }).record.isLeaving;
  }

  /** Rows that went at `revision` were no answers. The units that have yet to leave the machine for all that. */
  takeBackAnswers(machine: MachineId, revision: Revision): UnitName[] {
    const names = [...this.on(machine)].filter((name) => {
      const entry = this.of(name).get(machine);
      return entry?.rowGoneAt === revision && hasLeft(entry);
    });
    for (const name of names) {
      const entry = this.of(name).get(machine);
      if (entry !== undefined) this.#enter(name, { ...entry, rowGoneAt: 0 });
    }
    return names;
  }

  /** The machines that have a unit although the schedule has never told them to, and are to be told to let it go. */
  straysOf(name: UnitName): Iterable<MachineId> {
    return this.#strays.get(name) ?? [];
  }

  hasStrays(name: UnitName): boolean {
    return this.#strays.has(name);
  }

  setStrays(name: UnitName, machines: readonly MachineId[]): void {
    this.#strays.set(name, new Set(machines.filter((machine) => !this.of(name).has(machine))));
    this.#noteLeaving(name);
  }

  #enter(name: UnitName, entry: ScheduleEntry): ScheduleEntry {
    const { machine } = entry;
    this.#table.put(tableKey(name, machine), entry);
    this.#strays.get(name)?.delete(machine);
    const ofUnit = this.#byUnit.get(name) ?? new Map<MachineId, ScheduleEntry>();
    this.#byUnit.set(name, ofUnit.set(machine, entry));
    const onMachine = this.#byMachine.get(machine) ?? new Set<UnitName>();
    this.#byMachine.set(machine, onMachine.add(name));
    this.#noteLeaving(name);
    return entry;
  }

  #forget(name: UnitName, machine: MachineId): boolean {
    const ofUnit = this.#byUnit.get(name);
    ofUnit?.delete(machine);
    if (ofUnit?.size === 0) this.#byUnit.delete(name);
    const onMachine = this.#byMachine.get(machine);
    onMachine?.delete(name);
    if (onMachine?.size === 0) this.#byMachine.delete(machine);
    this.#noteLeaving(name);
    return true;
  }

  #noteLeaving(name: UnitName): void {
    const machines = new Set<MachineId>(this.straysOf(name));
    if (machines.size === 0) this.#strays.delete(name);
    for (const entry of this.of(name).values()) {
      if (entry.record.isLeaving && !hasLeft(entry)) machines.add(entry.machine);
    }
    if (machines.size > 0) this.#leaving.set(name, machines);
    else this.#leaving.delete(name);
  }
}

/** Whether the agent has answered the order to leave: it deleted the state row after the order was given. */
export function hasLeft({ record, rowGoneAt, modRevision }: ScheduleEntry): boolean {
  return record.isLeaving && rowGoneAt > modRevision;
}

function tableKey(name: UnitName, machine: MachineId): string {
  return `${machine}/${name}`;
}
