import type { MachineId } from '@flotilla/cluster';
import type { DirectoryChange, DirectoryProblem, HoldReason, RegistryAccess } from '@flotilla/registry';
import type { Clock, Logger } from '@flotilla/runtime';
import type { OwnerName } from '@flotilla/unit';
import { brake, type Held, type Weighed } from './brake.js';
import { carryOut, type Tally, type Wanted } from './carry-out.js';
import { ConfirmedBrake } from './confirmed-brake.js';
import { type Differences, findDifferences } from './differences.js';
import type { MemoryFile } from './memory-file.js';
import { DirectoryNews } from './news.js';
import { findRipe } from './ripe.js';
import { Setbacks } from './setbacks.js';
import type { SettledSight } from './sighting.js';
import { Standing } from './standing.js';
import { toRow } from './status-row.js';

/** How long what is older than the records may take to come to rest. */
const longestSettlingMs = 10_000;
/** How many units a line of the log and a record name. */
const mostNamed = 10;

export interface DirectoryPassOptions {
  readonly access: RegistryAccess;
  readonly clock: Clock;
  readonly log: Logger;
  readonly machine: MachineId;
  readonly owner: OwnerName;
  /** Empty: the configuration does not name the directory any more. */
  readonly path: string;
  readonly memoryFile: MemoryFile;
  /** Units are gone: another directory may have waited for their names. */
  readonly onRemoved: () => void;
}

/** How a directory fares on this host. */
export interface DirectoryDescription {
  readonly name: OwnerName;
  /** Empty: the configuration does not name it any more. */
  readonly path: string;
  readonly isThere: boolean;
  /** How many units this host claims for it. */
  readonly units: number;
  readonly problemCount: number;
  readonly conflictCount: number;
  readonly held?: { readonly why: HoldReason; readonly count: number };
}

/** Has the cluster follow what one directory of this host counts as. */
export class DirectoryPass {
  readonly standing: Standing;
  readonly #options: DirectoryPassOptions;
  readonly #setbacks = new Setbacks();
  readonly #news: DirectoryNews;
  readonly #brake: ConfirmedBrake;
  /** Since when this disk is seen to be older than the records, on the monotonic clock. */
  #olderSinceMs: number | undefined;
  #isThere = false;
  #problems: readonly DirectoryProblem[] = [];
  /** Why nothing can be changed now. */
  #obstacle: DirectoryProblem | undefined;
  #held: Held | undefined;
  #lastChange: DirectoryChange | undefined;
  #isOver = false;

  constructor(options: DirectoryPassOptions) {
    this.#options = options;
    this.standing = new Standing(options);
    this.#news = new DirectoryNews(options.log);
    this.#brake = new ConfirmedBrake(options);
  }

  /** Whether a person has said something about what is held back. */
  noteOrder(isThere: boolean): void {
    this.#brake.hasOrder = isThere;
  }

  /** Has units that are somebody else's looked at again by the next pass. Tells whether there are any. */
  askAgain(): boolean {
    return this.#setbacks.askAgain();
  }

  describe(): DirectoryDescription {
    const held = this.#held;
    return {
      name: this.#options.owner,
      path: this.#options.path,
      isThere: this.#isThere,
      units: this.standing.claims.size,
      problemCount: this.#allProblems().length,
      conflictCount: this.#setbacks.conflicts.length,
      ...(held !== undefined && { held: { why: held.why, count: held.units.length } }),
    };
  }

  /** @returns When something is to be tried again, on the monotonic clock, if anything is. */
  async run(sight: SettledSight, signal: AbortSignal): Promise<number | undefined> {
    if (this.#isOver) return undefined;
    this.#isThere = sight.kind === 'there';
    this.#problems = this.#problemsOf(sight);
    if (this.standing.isOlderCopy && sight.kind === 'there') {
      const nowMs = this.#options.clock.monotonicMs();
      this.#olderSinceMs ??= nowMs;
      const isLate = nowMs - this.#olderSinceMs >= longestSettlingMs;
      if (!sight.isSettled && !isLate) return undefined;
      await this.#catchUp(sight);
    }
    await this.#follow(sight, signal);
    return this.#setbacks.dueMs;
  }

  /** Takes the files as they are for seen, and lets nothing go. */
  async #catchUp(sight: SettledSight): Promise<void> {
    const { holds, ...missing } = this.#differences(sight);
    const seen = new Map([...holds].filter(([name]) => this.standing.claims.has(name)));
    const { error } = await this.#carryOut({ holds: seen, drops: [] }, { isOlderCopy: true });
    if (error !== undefined) throw error;
    const { memory } = brake(this.standing.memory, this.#weigh(sight, missing));
    await this.#note(() => this.standing.endOlderCopy(memory));
    if (seen.size + missing.gone.length === 0) return;
    this.#options.log.warn('a directory was put back to an older state; its files change and remove nothing', {
      files: seen.size,
      missing: missing.gone.length,
    });
  }

  async #follow(sight: SettledSight, signal: AbortSignal): Promise<void> {
    const { holds, ...missing } = this.#differences(sight);
    const { drops, held, memory, endOrder } = await this.#brake.weigh(
      this.standing.memory,
      this.#weigh(sight, missing),
    );
    this.#held = held;
    const { access, clock, owner } = this.#options;
    const nowMs = clock.monotonicMs();
    const wanted = await findRipe({ store: access.store, owner, setbacks: this.#setbacks, nowMs }, { holds, drops });
    const isNewPass = wanted.holds.size + wanted.drops.length > 0;
    await this.#note(() => this.standing.remember(memory, { isNewPass })).catch((error: unknown) => {
      // What a person has said is not known yet.
      if (endOrder !== undefined) this.#brake.hasOrder = true;
      throw error;
    });
    await endOrder?.();
    if (isNewPass) {
      await this.#tell();
      if (signal.aborted) return;
      await this.#change(wanted);
    }
    await this.#tell();
    if (sight.kind === 'missing' && sight.why === 'not-configured' && this.standing.claims.size === 0) {
      await this.standing.leave();
      this.#isOver = !this.standing.isStale;
    }
  }

  /** Nothing may be changed that this host would not know of after a restart. */
  async #note(write: () => Promise<void>): Promise<void> {
    try {
      await write();
      this.#obstacle = undefined;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const message = `cannot be written, and until it can nothing is changed: ${reason}`;
      this.#obstacle = { source: this.#options.memoryFile.path, message };
      await this.#tell();
      throw error;
    }
  }

  #differences(sight: SettledSight): Differences {
    const { claims } = this.standing;
    const found =
      sight.kind === 'there'
        ? findDifferences(sight, claims)
        : { holds: new Map(), gone: [...claims.keys()].sort(), unsettled: [], broken: [] };
    const gone = new Set(found.gone);
    this.#setbacks.keepOnly((name) => found.holds.has(name) || gone.has(name));
    return found;
  }

  #weigh(sight: SettledSight, missing: Missing): Weighed {
    return {
      claims: this.standing.claims,
      ...missing,
      place: sight.kind === 'there' ? sight.place : { why: sight.why },
      isSettled: sight.kind === 'missing' || sight.isSettled,
      isOlderCopy: this.standing.isOlderCopy,
      nowMs: this.#options.clock.now(),
    };
  }

  async #change(wanted: Wanted): Promise<void> {
    const { clock, log } = this.#options;
    const { created, changed, removed, error } = await this.#carryOut(wanted, { isOlderCopy: false });
    const units = [...created, ...changed, ...removed].slice(0, mostNamed);
    if (units.length > 0) {
      const counts = { created: created.length, changed: changed.length, removed: removed.length };
      this.#lastChange = { at: clock.now(), ...counts, units };
      log.info('units of a directory were changed', { ...counts, units });
    }
    if (removed.length > 0) this.#options.onRemoved();
    if (error !== undefined) throw error;
  }

  #carryOut(wanted: Wanted, { isOlderCopy }: { readonly isOlderCopy: boolean }): Promise<Tally> {
    const { access, clock, machine, owner } = this.#options;
    const options = { access, side: { owner, claimant: machine }, standing: this.standing, setbacks: this.#setbacks };
    return carryOut({ ...options, nowMs: clock.monotonicMs(), isOlderCopy }, wanted);
  }

  /** Tells the store and the log how the directory fares. */
  async #tell(): Promise<void> {
    const problems = this.#allProblems();
    const { conflicts } = this.#setbacks;
    const held = this.#held;
    this.#news.tell({ problems, conflicts, held });
    const { row: before, claims, memory } = this.standing;
    const status = {
      path: this.#options.path,
      pass: Math.max(memory.pass, before.pass),
      units: claims.size,
      isThere: this.#isThere,
      problems,
      conflicts,
      held,
      lastChange: this.#lastChange ?? before.lastChange,
    };
    await this.standing.tell(toRow(status, { before, nowMs: this.#options.clock.now() }));
  }

  #allProblems(): readonly DirectoryProblem[] {
    return [...(this.#obstacle === undefined ? [] : [this.#obstacle]), ...this.#problems, ...this.#setbacks.failures];
  }

  #problemsOf(sight: SettledSight): readonly DirectoryProblem[] {
    if (sight.kind === 'there') return sight.content.problems;
    return sight.why === 'not-configured' ? [] : [{ source: this.#options.path, message: sight.message }];
  }
}

type Missing = Omit<Differences, 'holds'>;
