import type { MachineId } from '@flotilla/cluster';
import type { Registration, StatePublisher, Store, UnitRow } from '@flotilla/registry';
import type { Clock, Logger } from '@flotilla/runtime';
import type { UnitManager } from '@flotilla/systemd';
import type { UnitName } from '@flotilla/unit';
import type { AgentObserver } from './agent-observer.js';
import type { Allegiance } from './allegiance.js';
import type { AssignmentView } from './assignment-view.js';
import { BringBack } from './bring-back.js';
import { carryOut } from './carry-out.js';
import { ConflictsHere } from './conflicts-here.js';
import { type CurrentUnit, currentUnits, isGone } from './current.js';
import { type DesiredSources, type DesiredUnit, desiredUnits, type KnownUnit } from './desired.js';
import { Farewells } from './farewells.js';
import { listFilesHere, StrangeFiles } from './files-here.js';
import { Freeze } from './freeze.js';
import { withholdStarts } from './giving-way.js';
import { OrderCheck } from './order-check.js';
import { OwnRestarts } from './own-restarts.js';
import { isStopOrdered, reconcile, type Task, tasksOfFirst } from './reconcile.js';
import { Relapses } from './relapses.js';
import { isOutdated, isReplaced } from './replacing.js';
import { RollingUpdates } from './rolling-updates.js';
import { type RowSources, rowsWithoutFiles, stateRows } from './rows.js';
import type { StartedRecords } from './started-records.js';
import { TaskFailures } from './task-failures.js';
import { UnitContents } from './unit-contents.js';

export interface AgentPassOptions {
  readonly store: Store;
  readonly unitManager: UnitManager;
  readonly machine: MachineId;
  readonly registration: Registration;
  readonly publisher: StatePublisher;
  readonly view: AssignmentView;
  readonly started: StartedRecords;
  readonly allegiance: Allegiance;
  readonly clock: Clock;
  readonly log: Logger;
  /** As in `AgentOptions`. */
  readonly onVerified: (freezeReason: string | undefined) => void;
  readonly observer: AgentObserver | undefined;
  /** Whether a unit is left alone for now, as it is being stopped for the loss of contact. */
  readonly isStopping: (name: UnitName) => boolean;
  /** Called when another pass is due. */
  readonly onWake: () => void;
}

/** How things stand, as seen by one pass. */
interface Situation {
  readonly orders: Pick<DesiredSources, 'globals' | 'restarts'>;
  readonly desired: ReadonlyMap<UnitName, DesiredUnit>;
  readonly current: ReadonlyMap<UnitName, CurrentUnit>;
}

/** Some seconds of systemd's time. Between passes it has nothing to do, and is asked for all units of the last one. */
const unitsPerPass = 1000;

/** What came of a pass. */
interface Outcome {
  /** What there was to do; the tasks that were not taken on come up again in the next pass. */
  readonly all: readonly Task[];
  readonly tasks: readonly Task[];
  readonly failures: ReadonlyMap<UnitName, string>;
}

/** A row whose deletion is under way is looked at again after this long. */
const farewellCheckMs = 1000;

/** The body of the agent's loop: look, decide, act, report. Remembers what went wrong and what was answered. */
export class AgentPass {
  readonly #options: AgentPassOptions;
  readonly #contents: UnitContents;
  readonly #conflicts: ConflictsHere;
  readonly #failures: TaskFailures;
  readonly #farewells: Farewells;
  readonly #orders: OrderCheck;
  readonly #freeze: Freeze;
  readonly #relapses = new Relapses();
  readonly #bringBack: BringBack;
  readonly #strangers: StrangeFiles;
  readonly #restarts: OwnRestarts;
  readonly #rolling: RollingUpdates;
  #rows: ReadonlyMap<UnitName, UnitRow> = new Map();

  constructor(options: AgentPassOptions) {
    this.#options = options;
    this.#contents = new UnitContents(options.store);
    this.#conflicts = new ConflictsHere({ ...options, contents: this.#contents });
    this.#failures = new TaskFailures(options.clock);
    this.#farewells = new Farewells(options.publisher);
    this.#freeze = new Freeze(options);
    this.#restarts = new OwnRestarts(options);
    this.#rolling = new RollingUpdates({ ...options, contents: this.#contents, onChange: options.onWake });
    this.#strangers = new StrangeFiles(options.log);
    const [onTrusted, onDoubt] = [() => this.#freeze.end(), () => this.doubt()];
    this.#orders = new OrderCheck({ ...options, onTrusted, onDoubt });
    this.#bringBack = new BringBack(options);
  }

  /** In the next pass, asks the store again who it is and what it says of units that it has no order for, and systemd about all. */
  doubt(): void {
    this.#options.unitManager.doubt();
    this.#orders.doubt();
    this.#rolling.doubt();
  }

  /** Runs a pass. Returns after how many milliseconds to run another although nothing may tell by then. */
  async run(): Promise<number | undefined> {
    const { clock, observer } = this.#options;
    const startedMs = clock.monotonicMs();
    let isFailed = true;
    try {
      const againAfterMs = await this.#run();
      isFailed = false;
      return againAfterMs;
    } finally {
      observer?.onPass({ durationMs: clock.monotonicMs() - startedMs, isFailed });
    }
  }

  async #run(): Promise<number | undefined> {
    const { registration, view, allegiance, log } = this.#options;
    const { snapshots } = view;
    const mayAct = () => view.isCurrent && view.snapshots === snapshots && registration.isFresh();
    if (!mayAct()) return await this.#bringBack.run();
    const situation = await this.#look();
    if (situation === undefined) return allegiance.freezeReason === undefined ? 0 : await this.#endureFreeze();
    const { desired, current } = situation;
    const due = reconcile(desired, current);
    const queued = await this.#rolling.findWaiting(due, { ...situation, ...situation.orders, epoch: this.#epoch });
    const { started } = this.#options;
    started.outdate([...queued.keys()].filter((name) => isOutdated(desired.get(name), current.get(name))));
    const clear = due.filter(({ unit }) => !queued.has(unit));
    const all = withholdStarts(clear, await this.#conflicts.findWaiting(clear, situation));
    const tasks = tasksOfFirst(unitsPerPass, all);
    this.#farewells.bid(situation, allegiance.known);
    const unsaved = await allegiance.remember(this.#knownUnits(situation, queued), view.revision);
    const allowed = tasks.filter(({ unit }) => !unsaved.has(unit));
    const failures = await carryOut(allowed, desired, { ...this.#options, contents: this.#contents, mayAct });
    for (const { unit } of tasks) if (unsaved.has(unit)) failures.set(unit, unsaved.get(unit) ?? '');
    this.#forget(due, tasks, situation);
    this.#relapses.tell({ tasks: allowed, ...situation }, failures);
    this.#settle({ all, tasks, failures }, situation);
    this.#failures.retryFor(allowed.filter(({ kind }) => kind === 'load').map(({ unit }) => unit));
    for (const [unit, error] of failures) log.warn('a unit is not as it should be; it is tried again', { unit, error });
    this.#publish(tasks, { ...situation, queued });
    if (tasks.length > 0) return 0;
    const farewellMs = this.#farewells.isBusy ? farewellCheckMs : undefined;
    const restartMs = this.#restarts.sweep({ ...situation.orders, desired, current });
    return findLeast([
      farewellMs,
      restartMs,
      this.#failures.nextRetryMs(),
      this.#orders.nextCheckMs(),
      this.#rolling.nextCheckMs(),
    ]);
  }

  /** The rows as the last pass has seen them. */
  get rows(): ReadonlyMap<UnitName, UnitRow> {
    return this.#rows;
  }

  /** Ends whatever goes on between passes. */
  async close(): Promise<void> {
    this.#freeze.end();
    this.#bringBack.end();
    await this.#rolling.close();
  }

  /** With each snapshot, what is known of turns may be of another store. */
  get #epoch(): string {
    return `${this.#options.view.snapshots}`;
  }

  /** While frozen, nothing is done but to say what is here, and to wait for the word of a person. */
  async #endureFreeze(): Promise<number | undefined> {
    this.#rolling.rest(this.#epoch);
    if (!(await this.#freeze.endure())) return undefined;
    this.doubt();
    return 0;
  }

  /** `undefined`: no orders may be taken from this store, or the orders have changed while they were looked at. */
  async #look(): Promise<Situation | undefined> {
    const { unitManager, view, allegiance, started } = this.#options;
    const { stamp } = this.#orders;
    view.keepRemoved(allegiance.known);
    if (!(await this.#orders.isTrusted(stamp))) return undefined;
    const listing = await listFilesHere(unitManager);
    const [files, startedBy] = [listing.files, await started.read()];
    // What comes in from here on is for the next pass: of that, the requirements have not been read.
    const orders = {
      machine: view.machine,
      schedule: new Map(view.schedule),
      globals: new Map(view.globals),
      restarts: new Map(view.restarts),
    };
    const requirements = await this.#conflicts.readForGlobals(orders, files);
    if (!(await this.#orders.confirmMissing(stamp)) || stamp !== this.#orders.stamp) return undefined;
    const { removed } = view;
    const { known } = allegiance;
    const { verdicts } = this.#orders;
    const desired = desiredUnits({ ...orders, removed, requirements, known, verdicts });
    this.#strangers.tell(files, desired);
    this.#failures.keep((name) => JSON.stringify(desired.get(name)));
    const statuses = await unitManager.listUnits([...desired.keys()]);
    const held = new Set([...this.#failures.held(), ...[...desired.keys()].filter(this.#options.isStopping)]);
    const situation = {
      orders,
      desired,
      current: currentUnits({ files, statuses, started: startedBy, known, held, toldToStop: this.#relapses }),
    };
    if (listing.problem === undefined) return situation;
    this.#rows = rowsWithoutFiles(situation, this.#rows, listing.problem.message);
    this.#options.publisher.publish(this.#rows);
    throw listing.problem;
  }

  /** @param queued Units that go on as they are until their turn has come: with what they were told before. */
  #knownUnits({ desired, current }: Situation, queued: ReadonlyMap<UnitName, UnitName>): Map<UnitName, KnownUnit> {
    const known = new Map<UnitName, KnownUnit>();
    for (const [name, wish] of desired) {
      const unit = current.get(name);
      const isOver = wish.kind === 'absent' && (unit === undefined || isGone(unit)) && !this.#farewells.has(name);
      if (isOver) continue;
      const former = queued.has(name) ? this.#options.allegiance.known.get(name) : undefined;
      if (former !== undefined) {
        known.set(name, former);
        continue;
      }
      const before = wish.kind === 'untouched' ? this.#options.allegiance.known.get(name) : undefined;
      const { isLaunched = false, order } = wish.kind === 'present' ? wish : (before ?? {});
      // Noted when it is carried out: the next process is to know of a stop that is still owed.
      const isOwed = wish.kind === 'present' && unit !== undefined && isStopOrdered(wish, unit);
      known.set(name, { hash: wish.hash, uid: wish.uid, isLaunched, order: isOwed ? unit.known?.order : order });
    }
    return known;
  }

  #settle({ all, tasks, failures }: Outcome, { desired, current }: Situation): void {
    const busy = new Set(tasks.map((task) => task.unit));
    const postponed = new Set(all.map((task) => task.unit).filter((name) => !busy.has(name)));
    for (const [name, wish] of desired) {
      if (postponed.has(name)) continue;
      const message = failures.get(name);
      if (message !== undefined) this.#failures.add(name, { message, wish: JSON.stringify(wish) });
      else if (this.#relapses.has(name)) continue;
      else if (busy.has(name) || current.get(name)?.isHeld !== true) this.#failures.clear(name);
    }
  }

  /** What was read to decide is kept for the loads that are still to come, and no longer. */
  #forget(due: readonly Task[], tasks: readonly Task[], { desired, current }: Situation): void {
    const done = new Set(tasks);
    const kept = new Set<string>();
    for (const task of due) {
      const wish = desired.get(task.unit);
      if (task.kind === 'load' && !done.has(task) && wish?.kind === 'present') kept.add(wish.file);
    }
    for (const [name, wish] of desired)
      if (wish.kind === 'present' && isReplaced(wish, current.get(name))) kept.add(wish.file);
    this.#contents.keep(kept);
    this.#conflicts.forgetUnused();
  }

  /** Units that were acted on keep their last row: what was seen of them is outdated, and the next pass is near. */
  #publish(tasks: readonly Task[], situation: Situation & Pick<RowSources, 'queued'>): void {
    const rows = stateRows({ ...situation, error: (name) => this.#failures.message(name), last: this.#rows });
    for (const { unit } of tasks) {
      const last = this.#rows.get(unit);
      if (last === undefined) rows.delete(unit);
      else rows.set(unit, last);
    }
    this.#rows = rows;
    this.#options.publisher.publish(rows);
  }
}

function findLeast(waitsMs: readonly (number | undefined)[]): number | undefined {
  const known = waitsMs.filter((ms) => ms !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
