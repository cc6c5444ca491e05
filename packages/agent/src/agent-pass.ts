import type { Machine } from '@flotilla/cluster';
import type { Registration, StatePublisher, Store, UnitRow } from '@flotilla/registry';
import type { Clock, Logger } from '@flotilla/runtime';
import type { UnitFileHere, UnitManager } from '@flotilla/systemd';
import type { UnitName } from '@flotilla/unit';
import type { Allegiance } from './allegiance.js';
import type { AssignmentView } from './assignment-view.js';
import { carryOut } from './carry-out.js';
import { readVerdicts } from './confirm.js';
import { type CurrentUnit, currentUnits, isGone } from './current.js';
import { type DesiredUnit, desiredUnits, type KnownUnit } from './desired.js';
import { Farewells } from './farewells.js';
import { GlobalRequirements } from './global-requirements.js';
import { reconcile, type Task } from './reconcile.js';
import { stateRows } from './rows.js';
import type { StartedRecords } from './started-records.js';
import { TaskFailures } from './task-failures.js';

export interface AgentPassOptions {
  readonly store: Store;
  readonly unitManager: UnitManager;
  readonly machine: Machine;
  readonly registration: Registration;
  readonly publisher: StatePublisher;
  readonly view: AssignmentView;
  readonly started: StartedRecords;
  readonly allegiance: Allegiance;
  readonly clock: Clock;
  readonly log: Logger;
  /** As in `AgentOptions`. */
  readonly onVerified: (freezeReason: string | undefined) => void;
}

/** How things stand, as seen by one pass. */
interface Situation {
  readonly desired: ReadonlyMap<UnitName, DesiredUnit>;
  readonly current: ReadonlyMap<UnitName, CurrentUnit>;
}

/** A row whose deletion is under way is looked at again after this long. */
const farewellCheckMs = 1000;

/** The body of the agent's loop: look, decide, act, report. Remembers what went wrong and what was answered. */
export class AgentPass {
  readonly #options: AgentPassOptions;
  readonly #requirements: GlobalRequirements;
  readonly #failures: TaskFailures;
  readonly #farewells: Farewells;
  readonly #verdicts = new Map<UnitName, 'gone' | 'stands'>();
  readonly #told = new Set<string>();
  #verified = '';
  #rows: ReadonlyMap<UnitName, UnitRow> = new Map();

  constructor(options: AgentPassOptions) {
    this.#options = options;
    this.#requirements = new GlobalRequirements(options.store, options.log);
    this.#failures = new TaskFailures(options.clock);
    this.#farewells = new Farewells(options.publisher);
  }

  /** In the next pass, asks the store again who it is and what it says of units that it has no order for. */
  doubt(): void {
    this.#verified = '';
  }

  /** Runs a pass. Returns after how many milliseconds to run another although nothing may tell by then. */
  async run(): Promise<number | undefined> {
    const { registration, view, allegiance, log } = this.#options;
    if (view.snapshots === 0 || !registration.isFresh()) return undefined;
    const situation = await this.#look();
    if (situation === undefined) return allegiance.freezeReason === undefined ? 0 : undefined;
    const { desired, current } = situation;
    const tasks = reconcile(desired, current);
    this.#farewells.bid(situation, allegiance.known);
    await allegiance.remember(this.#knownUnits(situation), view.revision);
    const failures = await carryOut(tasks, desired, { ...this.#options, mayAct: () => registration.isFresh() });
    this.#settle(tasks, failures, situation);
    for (const [unit, error] of failures) log.warn('a unit is not as it should be; it is tried again', { unit, error });
    this.#publish(tasks, situation);
    if (tasks.length > 0) return 0;
    return this.#farewells.isBusy ? farewellCheckMs : this.#failures.nextRetryMs();
  }

  /** `undefined`: no orders may be taken from this store, or the orders have changed while they were looked at. */
  async #look(): Promise<Situation | undefined> {
    const { unitManager, view, allegiance, machine, started, registration } = this.#options;
    const stamp = `${view.snapshots} ${view.removals}`;
    if (this.#verified !== stamp) {
      if (!this.#verified.startsWith(`${view.snapshots} `)) this.#verdicts.clear();
      await allegiance.verify();
      registration.setFrozen(allegiance.freezeReason);
      this.#options.onVerified(allegiance.freezeReason);
      if (allegiance.freezeReason !== undefined) return undefined;
      this.#verified = stamp;
    }
    if (allegiance.freezeReason !== undefined) return undefined;
    const [files, startedBy] = [await unitManager.listFiles(), await started.read()];
    const requirements = await this.#requirements.read(view.globals);
    await this.#confirmMissing();
    if (stamp !== `${view.snapshots} ${view.removals}`) return undefined;
    const { known } = allegiance;
    const desired = desiredUnits({ ...sourcesOf(view), machine, requirements, known, verdicts: this.#verdicts });
    this.#tellStrangers(files, desired);
    this.#failures.keep(new Map([...desired].map(([name, wish]) => [name, JSON.stringify(wish)])));
    const statuses = await unitManager.listUnits([...desired.keys()]);
    return { desired, current: currentUnits({ files, statuses, started: startedBy, held: this.#failures.held() }) };
  }

  /** A unit that a snapshot did not have is stopped only if the store says so in so many words. */
  async #confirmMissing(): Promise<void> {
    const { view, allegiance, store, machine, log } = this.#options;
    const isMissing = (name: UnitName) =>
      !view.schedule.has(name) && !view.globals.has(name) && !view.removed.has(name) && !this.#verdicts.has(name);
    const missing = [...allegiance.known.keys()].filter(isMissing);
    for (const [name, verdict] of await readVerdicts(store, machine.id, missing)) {
      this.#verdicts.set(name, verdict);
      if (verdict === 'stands') log.warn('a unit is placed here and has no order; it is kept as it is', { unit: name });
    }
  }

  #knownUnits({ desired, current }: Situation): Map<UnitName, KnownUnit> {
    const known = new Map<UnitName, KnownUnit>();
    for (const [name, wish] of desired) {
      const unit = current.get(name);
      const isOver = wish.kind === 'absent' && (unit === undefined || isGone(unit)) && !this.#farewells.has(name);
      if (!isOver) known.set(name, { hash: wish.hash, uid: wish.uid });
    }
    return known;
  }

  #settle(tasks: readonly Task[], failures: ReadonlyMap<UnitName, string>, { desired, current }: Situation): void {
    const busy = new Set(tasks.map((task) => task.unit));
    for (const [name, wish] of desired) {
      const message = failures.get(name);
      if (message !== undefined) this.#failures.add(name, { message, wish: JSON.stringify(wish) });
      else if (busy.has(name) || current.get(name)?.isHeld !== true) this.#failures.clear(name);
    }
  }

  /** Units that were acted on keep their last row: what was seen of them is outdated, and the next pass is near. */
  #publish(tasks: readonly Task[], situation: Situation): void {
    const rows = stateRows({ ...situation, error: (name) => this.#failures.message(name) });
    for (const { unit } of tasks) {
      const last = this.#rows.get(unit);
      if (last === undefined) rows.delete(unit);
      else rows.set(unit, last);
    }
    this.#rows = rows;
    this.#options.publisher.publish(rows);
  }

  #tellStrangers(files: ReadonlyMap<UnitName, UnitFileHere>, desired: ReadonlyMap<UnitName, DesiredUnit>): void {
    for (const name of files.keys()) {
      if (desired.has(name) || this.#told.has(name)) continue;
      this.#told.add(name);
      this.#options.log.warn('a unit file was not put there by this agent; it is left alone', { unit: name });
    }
  }
}

function sourcesOf({ schedule, globals, removed }: AssignmentView) {
  return { schedule, globals, removed };
}
