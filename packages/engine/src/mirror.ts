import type { Cluster, MachineId } from '@flotilla/cluster';
import {
  type Compare,
  type KeyValue,
  type PlanOperation,
  parseKey,
  type Revision,
  ranges,
  type WatchEvent,
  type WatchRange,
} from '@flotilla/registry';
import type { Logger } from '@flotilla/runtime';
import type { UnitName } from '@flotilla/unit';
import { MirrorState } from './mirror-state.js';
import { hasLeft } from './mirrored-schedule.js';

/** What the mirror follows. Files come before the units that need them; of the states, only ends are of interest. */
export const mirroredRanges: readonly WatchRange[] = [
  ranges.unitFiles,
  ranges.units,
  ranges.placements,
  ranges.schedule,
  ranges.reasons,
  ranges.settings,
  ranges.metadata,
  ranges.machines,
  ranges.members,
  ranges.losses,
  ranges.releases,
  { ...ranges.states, deletesOnly: true },
];

export interface MirrorOptions {
  readonly log: Logger;
  /** Called when there is something to decide. */
  readonly onTouched: () => void;
  /** Called when something has changed that may change which machines are lost. */
  readonly onAbsencesChanged?: () => void;
}

/** A compare that did not hold when the store stood at `revision`. */
interface Refusal {
  readonly compares: readonly Compare[];
  readonly revision: Revision;
}

/**
 * The leader's copy of the cluster: filled from a snapshot, kept by the watch and by what the leader writes itself. It
 * remembers which units a change has touched since they were decided about last.
 */
export class Mirror {
  readonly #options: MirrorOptions;
  #state: MirrorState;
  #isSynced = false;
  /** `undefined`: all. */
  #touched: Set<UnitName> | undefined;
  #isQuiet = false;
  /** Something has changed since units were taken to decide about. */
  #hasNews = false;
  readonly #refusals = new Map<UnitName, Refusal>();
  /** Machines and units whose order to leave has to be given again, as nobody knows whether it was answered. */
  readonly #unanswered = new Map<UnitName, Set<MachineId>>();
  #hasSaidFilesAreKept = false;
  readonly #loggedBad = new Map<string, Revision>();
  #snapshotRevision: Revision = 0;
  /** Up to here, all that has happened is in the mirror. */
  #toldRevision: Revision = 0;
  #unitsRevision: Revision = 0;

  constructor(options: MirrorOptions) {
    this.#options = options;
    this.#state = this.#newState();
  }

  /** Whether the mirror may be decided upon. */
  get isSynced(): boolean {
    return this.#isSynced;
  }

  /** The records; a new object after each {@link reset}. */
  get state(): MirrorState {
    return this.#state;
  }

  get cluster(): Cluster {
    return this.#state.index.cluster;
  }

  /** Starts over from a snapshot. */
  reset(kvs: readonly KeyValue[], revision: Revision): void {
    this.#state = this.#newState();
    this.#refusals.clear();
    this.#unanswered.clear();
    this.#snapshotRevision = revision;
    this.#toldRevision = revision;
    this.#unitsRevision = revision;
    this.#isQuiet = true;
    this.#state.load(kvs);
    this.#isQuiet = false;
    for (const [name, machines] of this.#state.schedule.leaving) this.#unanswered.set(name, new Set(machines));
    this.#touched = undefined;
    this.#isSynced = true;
    this.#options.onAbsencesChanged?.();
    this.#options.onTouched();
  }

  /** Nothing may be decided before the next {@link reset}. */
  distrust(): void {
    this.#isSynced = false;
  }

  /** Takes in what the watch tells. */
  apply(events: readonly WatchEvent[], revision: Revision): void {
    const { version } = this.#state.index;
    for (const event of events) {
      const key = event.kind === 'put' ? event.kv.key : event.key;
      if (event.kind === 'put') this.#state.put(event.kv);
      else this.#state.delete(event.key, event.modRevision, 'watch');
      if (parseKey(key)?.kind === 'unit') {
        const at = event.kind === 'put' ? event.kv.modRevision : event.modRevision;
        this.#unitsRevision = Math.max(this.#unitsRevision, at);
      }
    }
    // What is about to be placed on a machine that has changed is not there yet to be touched.
    if (this.#state.index.version !== version) this.#hasNews = true;
    this.#toldRevision = Math.max(this.#toldRevision, revision);
    this.#reviewRefusals();
    if (this.hasTouched) this.#options.onTouched();
  }

  /** Takes in what the leader has written; if nothing else has come since it was decided upon, it touches nothing. */
  applyOwn(operations: readonly PlanOperation[], revision: Revision): void {
    if (revision <= this.#snapshotRevision) return;
    this.#isQuiet = !this.#hasNews;
    this.#enterOwn(operations, revision);
    this.#isQuiet = false;
    for (const { key } of operations) this.#touchIfLeft(key);
  }

  /** Takes in what the leader has noted about machines that are gone. What they have is still to be decided about. */
  applyLosses(operations: readonly PlanOperation[], revision: Revision): void {
    if (revision > this.#snapshotRevision) this.#enterOwn(operations, revision);
  }

  get hasTouched(): boolean {
    return this.#touched === undefined || this.#touched.size > 0;
  }

  /** The units to decide about; from now on they count as decided, unless {@link touch} says otherwise. */
  takeTouched(): Set<UnitName> {
    const touched = this.#touched ?? this.#state.names;
    this.#touched = new Set();
    this.#hasNews = false;
    return touched;
  }

  /** What was decided about units did not come about: they, and those that depend on them, are to be decided about anew. */
  touch(names: ReadonlySet<UnitName>): void {
    for (const name of names) this.#touched?.add(name);
    this.#state.index.touchRelatives(names);
    if (this.hasTouched) this.#options.onTouched();
  }

  /** Units may have been decided about by what did not come about. */
  touchAgain(names: Iterable<UnitName>): void {
    const { touches, units } = this.#state.index;
    for (const node of units.named(names)) touches.touch(node);
    if (this.hasTouched) this.#options.onTouched();
  }

  /** A write about `name` was refused: decide again once the mirror has caught up with what the store said. */
  refuse(name: UnitName, failed: readonly Compare[], revision: Revision): void {
    this.#refusals.set(name, { compares: failed, revision });
    this.#state.index.touchRelatives(new Set([name]));
    this.#state.index.hold(name, true);
    this.#touched?.delete(name);
    this.#reviewRefusals();
    if (this.hasTouched) this.#options.onTouched();
  }

  /** Whether the mirror has yet to catch up before anything is written about a unit. */
  isRefused(name: UnitName): boolean {
    return this.#refusals.has(name);
  }

  /** Whether the order to leave has to be given again. */
  isUnanswered(name: UnitName, machine: MachineId): boolean {
    return this.#unanswered.get(name)?.has(machine) === true;
  }

  /** The orders to leave have been given again, or were being answered. */
  noteAnswered(name: UnitName): void {
    this.#unanswered.delete(name);
  }

  /** Unit files that no unit uses, and the revisions at which this is known for certain. */
  unusedFiles(): ReturnType<MirrorState['files']['unused']> {
    return this.#state.files.unused(this.#unitsRevision);
  }

  #enterOwn(operations: readonly PlanOperation[], revision: Revision): void {
    for (const operation of operations) {
      if (operation.kind === 'delete') this.#state.delete(operation.key, revision, 'own');
      else {
        const { key, value } = operation;
        this.#state.put({ key, value, createRevision: revision, modRevision: revision, lease: undefined });
      }
    }
  }

  #newState(): MirrorState {
    return new MirrorState({
      onTouched: (name) => {
        if (this.#isQuiet) return;
        this.#touched?.add(name);
        this.#hasNews = true;
      },
      onMachineChanged: (machine) => this.#noteMachine(machine),
      onAbsencesChanged: () => this.#options.onAbsencesChanged?.(),
      onUnreadable: (key, modRevision, error) => {
        if (this.#loggedBad.get(key) === modRevision) return;
        this.#loggedBad.set(key, modRevision);
        this.#options.log.error('unreadable record or unit file; it is left alone', { key, error });
        this.#sayFilesAreKept();
      },
    });
  }

  #sayFilesAreKept(): void {
    const key = this.#state.files.findUnreadableUser();
    if (this.#hasSaidFilesAreKept || key === undefined) return;
    this.#hasSaidFilesAreKept = true;
    this.#options.log.warn('no unit file is deleted while a record that may name it is unreadable', { key });
  }

  #noteMachine(machine: MachineId): void {
    if (this.#isQuiet) return;
    const { schedule } = this.#state;
    for (const name of schedule.on(machine)) {
      this.#touched?.add(name);
      if (schedule.leaving.get(name)?.has(machine) !== true) continue;
      this.#unanswered.set(name, (this.#unanswered.get(name) ?? new Set()).add(machine));
    }
  }

  /** The agent may have answered before the leader learnt that its order was written; or there is more to order. */
  #touchIfLeft(key: string): void {
    const parsed = parseKey(key);
    if (parsed?.kind !== 'schedule') return;
    const entry = this.#state.schedule.of(parsed.name).get(parsed.machine);
    const isDone = (entry === undefined || !hasLeft(entry)) && !this.#state.schedule.hasStrays(parsed.name);
    if (isDone) return;
    this.#touched?.add(parsed.name);
    this.touchAgain([parsed.name]);
  }

  #reviewRefusals(): void {
    for (const [name, { compares, revision }] of this.#refusals) {
      if (this.#toldRevision < revision && compares.every((compare) => this.#agrees(compare))) continue;
      this.#refusals.delete(name);
      this.#state.index.hold(name, false);
      this.#touched?.add(name);
    }
  }

  /** Whether the mirror still holds what a compare says. What is not mirrored can't be waited for. */
  #agrees({ key, on, equals }: Compare): boolean {
    const parsed = parseKey(key);
    const entry = parsed === undefined ? undefined : this.#state.findEntry(parsed);
    if (entry === 'not-mirrored') return false;
    return ((on === 'create-revision' ? entry?.createRevision : entry?.modRevision) ?? 0) === equals;
  }
}
