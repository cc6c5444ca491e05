import type { UnitExplanation, UnknownUnit } from '@flotilla/cluster';
import { assertNever, FleetError } from '@flotilla/errors';
import {
  type CommitOptions,
  type CommitOutcome,
  commitPlan,
  type Following,
  follow,
  type Leadership,
  type PlanWrite,
  type Store,
  StoreError,
} from '@flotilla/registry';
import { type Clock, jittered, type Logger, ReconcileLoop, type Timer } from '@flotilla/runtime';
import type { UnitName } from '@flotilla/unit';
import { type EnginePass, summarizePass } from './engine-pass.js';
import { explainUnit } from './explain-unit.js';
import { findCopies } from './former-globals.js';
import { LossKeeper } from './loss-keeper.js';
import type { LossDefaults } from './loss-policy.js';
import { Mirror, mirroredRanges } from './mirror.js';
import type { Plan } from './plan.js';
import { logPlan } from './plan-log.js';
import { planWrites, unusedFileWrites } from './plan-writes.js';
import { decide } from './schedule.js';
import { StoppingKeeper } from './stopping-keeper.js';
import { StoreCare } from './store-care.js';

/** While more keeps coming, it is taken in larger helpings: a transaction holds 63 units. */
const spacingMs = 30;

/** The writes of one command come about this long one after the other. */
const firstSpacingMs = 4;

/** A pass over a million units takes minutes; what ends it early is the end of leadership. */
const passDeadlineMs = 600_000;

export interface TermOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly leadership: Leadership;
  readonly auditIntervalMs: number;
  readonly losses: LossDefaults;
  /** As in `EngineOptions`. */
  readonly onPass?: ((pass: EnginePass) => void) | undefined;
}

/** One leader's time in office: it follows the cluster, decides and writes until leadership ends. */
export class Term {
  readonly #options: TermOptions;
  readonly #mirror: Mirror;
  readonly #loop: ReconcileLoop;
  readonly #losses: LossKeeper;
  readonly #stopping: StoppingKeeper;
  readonly #care: StoreCare;
  /** What keeps the mirror, and what is about to take its place. */
  #following: Following | undefined;
  #next: Following | undefined;
  #audit: Timer | undefined;
  #isOver = false;

  constructor(options: TermOptions) {
    const { clock, leadership, log } = options;
    this.#options = options;
    this.#loop = new ReconcileLoop({
      name: 'engine',
      body: ({ pass, signal }) => this.#pass(pass, AbortSignal.any([signal, leadership.ended])),
      clock,
      log,
      spacingMs,
      firstSpacingMs,
      deadlineMs: passDeadlineMs,
    });
    this.#losses = new LossKeeper({ clock, log, defaults: options.losses, onDue: () => this.#loop.wake() });
    this.#stopping = new StoppingKeeper({ clock, onDue: () => this.#loop.wake() });
    this.#mirror = new Mirror({
      log,
      onTouched: () => this.#loop.wake(),
      onAbsencesChanged: () => {
        this.#losses.note();
        this.#stopping.note();
      },
    });
    this.#care = new StoreCare(options);
    this.#readEverything();
  }

  /** Ends the term; resolves when nothing is in flight any more. */
  async close(): Promise<void> {
    this.#isOver = true;
    this.#audit?.cancel();
    this.#losses.close();
    this.#stopping.close();
    this.#following?.close();
    this.#next?.close();
    // Not awaited: it takes as long as etcd does, and what it still sends does no harm.
    void this.#care.close();
    await this.#loop.close();
  }

  /** Why a unit is where it is, as the mirror has it; `undefined` while that may not be decided upon. */
  explain(name: UnitName): UnitExplanation | UnknownUnit | undefined {
    return this.#mirror.isSynced && !this.#isOver ? explainUnit(this.#mirror.state, name) : undefined;
  }

  /** Makes the mirror anew from a snapshot. Until that is there, the old one is kept. */
  #readEverything(): void {
    if (this.#isOver) return;
    const { auditIntervalMs, clock, log, store } = this.#options;
    this.#audit?.cancel();
    this.#audit = clock.setTimer(jittered(clock, auditIntervalMs), () => this.#readEverything());
    this.#next?.close();
    const next = follow({
      store,
      ranges: mirroredRanges,
      clock,
      log,
      follower: {
        onSnapshot: (kvs, revision) => {
          if (this.#next === next) {
            this.#following?.close();
            this.#following = next;
            this.#next = undefined;
          }
          this.#mirror.reset(kvs, revision);
        },
        onEvents: (events, revision) => this.#mirror.apply(events, revision),
        onBroken: () => this.#mirror.distrust(),
      },
    });
    this.#next = next;
  }

  /** One pass: read what has changed, decide, write. Every branch of policy is in {@link schedule}. */
  async #pass(pass: number, signal: AbortSignal): Promise<void> {
    const mirror = this.#mirror;
    const mayDecide = () => mirror.isSynced && !this.#isOver && !signal.aborted;
    if (!mayDecide()) return;
    const { clock, onPass } = this.#options;
    const startedMs = clock.monotonicMs();
    const committed = new Set<UnitName>();
    let plan: Plan | undefined;
    try {
      await this.#noteLosses(signal);
      if (mayDecide()) await this.#lookForCopies(signal);
      if (!mayDecide()) return;
      this.#stopping.review(mirror.state);
      const decided = this.#decide(mirror.takeTouched());
      ({ plan } = decided);
      if (decided.writes.length > 0) await this.#commit({ pass, ...decided, committed }, signal);
    } finally {
      onPass?.(summarizePass({ durationMs: clock.monotonicMs() - startedMs, plan, committed }));
    }
  }

  #decide(names: Set<UnitName>): Omit<PassWrites, 'pass' | 'committed'> {
    const mirror = this.#mirror;
    try {
      const plan = decide(mirror.state.index, names);
      const writes = planWrites({ plan, mirror, nowMs: this.#options.clock.now() });
      return { plan, writes: [...writes, ...unusedFileWrites(mirror)] };
    } catch (error) {
      mirror.touch(names);
      throw error;
    }
  }

  /** Which machines are lost is written down before anything follows from it. */
  async #noteLosses(signal: AbortSignal): Promise<void> {
    const open = new Set(this.#losses.decide(this.#mirror.state));
    if (open.size === 0) return;
    try {
      await this.#write({
        writes: [...open],
        signal,
        onCommitted: (done, revision) => {
          for (const write of done) {
            this.#mirror.applyLosses(write.operations, revision);
            this.#losses.noteCommitted(write);
            open.delete(write);
          }
        },
        // What it failed on is about to be told by the watch.
        onRefused: (write) => open.delete(write),
      });
    } finally {
      if (open.size > 0 && !this.#isOver) this.#losses.noteFailure();
    }
  }

  /** Units that were global may still run in many places; where they do is read before they are decided about. */
  async #lookForCopies(signal: AbortSignal): Promise<void> {
    const { state } = this.#mirror;
    const suspects = new Map(state.formerGlobals.suspects);
    const machinesByUnit = await findCopies(this.#options.store, [...suspects.keys()], signal);
    for (const [name, machines] of machinesByUnit) state.noteCopies(name, suspects.get(name) ?? 0, machines);
  }

  async #commit({ pass, plan, writes, committed }: PassWrites, signal: AbortSignal): Promise<void> {
    const { log } = this.#options;
    const mirror = this.#mirror;
    const open = new Set(writes.flatMap(({ unit }) => unit ?? []));
    const refused = new Set<UnitName>();
    // Asked now: what a unit has to do with others may be why its write is refused.
    const related = mirror.state.index.units.relatedAmong(plan.lookedAt);
    try {
      await this.#write({
        writes,
        signal,
        onCommitted: (done, revision) => {
          for (const { operations, unit } of done) {
            mirror.applyOwn(operations, revision);
            if (unit === undefined) continue;
            open.delete(unit);
            committed.add(unit);
            mirror.noteAnswered(unit);
          }
        },
        onRefused: ({ unit }, failed, revision) => {
          log.debug('write refused', { pass, unit, failed, revision });
          if (unit === undefined) return;
          open.delete(unit);
          refused.add(unit);
          mirror.noteAnswered(unit);
          mirror.refuse(unit, failed, revision);
        },
      });
    } finally {
      logPlan({ log, pass, plan, committed });
      if (!this.#isOver) {
        mirror.touch(open);
        // Where a unit was scheduled with another file, it has let go of that one only now.
        if (committed.size > 0 && mirror.unusedFiles().length > 0) this.#loop.wake();
        if ([...refused, ...open].some((name) => related.has(name))) mirror.touchAgain(related);
      }
    }
  }

  async #write(options: Omit<CommitOptions, 'store' | 'leadership'>): Promise<void> {
    const { leadership, store } = this.#options;
    try {
      this.#actOn(await commitPlan({ store, leadership, ...options }));
    } catch (error) {
      if (error instanceof StoreError && error.kind === 'refused') this.#care.noteRefusal();
      throw error;
    }
  }

  #actOn(outcome: CommitOutcome): void {
    const { log, leadership } = this.#options;
    switch (outcome) {
      case 'fenced':
        log.warn('Engine leadership lost, another engine may lead', { fence: leadership.fence });
        void this.close();
        return;
      case 'uncertain':
        log.warn('no answer from the store; everything is read again before anything is decided');
        this.#mirror.distrust();
        this.#readEverything();
        return;
      case 'stale':
        throw new FleetError('stale-leadership', "the leader's lease may have ended");
      case 'done':
      case 'stopped':
        return;
      default:
        assertNever(outcome);
    }
  }
}

interface PassWrites {
  readonly pass: number;
  readonly plan: Plan;
  readonly writes: readonly PlanWrite[];
  /** Gets the units whose writes are in the store. */
  readonly committed: Set<UnitName>;
}
