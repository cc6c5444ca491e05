import type { MachineId } from '@flotilla/cluster';
import {
  type DirectoryChange,
  type DirectoryProblem,
  deleteDirectoryOrder,
  type HoldReason,
  type RegistryAccess,
  readDirectoryOrder,
  readStoredUnits,
} from '@flotilla/registry';
import type { Clock, Logger } from '@flotilla/runtime';
import type { OwnerName, UnitName } from '@flotilla/unit';
import { type Braked, brake, digestOf, type Held, type Weighed } from './brake.js';
import { carryOut, type Tally, triedDrop, type Wanted } from './carry-out.js';
import { type Differences, findDifferences, type SeenUnit } from './differences.js';
import type { MemoryFile } from './memory-file.js';
import { DirectoryNews } from './news.js';
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
  /** Whether a person has said something about what is held back. */
  hasOrder = false;
  readonly #options: DirectoryPassOptions;
  readonly #setbacks = new Setbacks();
  readonly #news: DirectoryNews;
  readonly #startedMs: number;
  #isThere = false;
  #problems: readonly DirectoryProblem[] = [];
  #held: Held | undefined;
  #lastChange: DirectoryChange | undefined;
  #isOver = false;

  constructor(options: DirectoryPassOptions) {
    this.#options = options;
    this.standing = new Standing(options);
    this.#news = new DirectoryNews(options.log);
    this.#startedMs = options.clock.monotonicMs();
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
      problemCount: this.#problems.length + this.#setbacks.failures.length,
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
      const isLate = this.#options.clock.monotonicMs() - this.#startedMs >= longestSettlingMs;
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
    await this.standing.endOlderCopy(memory);
    if (seen.size + missing.gone.length === 0) return;
    this.#options.log.warn('a directory was put back to an older state; its files change and remove nothing', {
      files: seen.size,
      missing: missing.gone.length,
    });
  }

  async #follow(sight: SettledSight, signal: AbortSignal): Promise<void> {
    const { holds, ...missing } = this.#differences(sight);
    const { drops, held, memory, isOrdered, closeOrder } = await this.#brake(sight, missing);
    this.#held = held;
    const wanted = await this.#ripe(holds, drops);
    const isNewPass = wanted.holds.size + wanted.drops.length > 0;
    await this.standing.remember(memory, { isNewPass });
    if (isOrdered) await closeOrder();
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

  #differences(sight: SettledSight): Differences {
    const { claims } = this.standing;
    const found =
      sight.kind === 'there'
        ? findDifferences(sight, claims)
        : { holds: new Map(), gone: [...claims.keys()].sort(), unsure: [] };
    const gone = new Set(found.gone);
    this.#setbacks.keepOnly((name) => found.holds.has(name) || gone.has(name));
    return found;
  }

  /** Weighs removals, with what a person has said of them. */
  async #brake(sight: SettledSight, missing: Missing): Promise<Braked & OrderEnd> {
    const { access, log, owner, machine } = this.#options;
    const weighed = this.#weigh(sight, missing);
    const braked = brake(this.standing.memory, weighed);
    const none = { isOrdered: false, closeOrder: async () => undefined };
    if (!this.hasOrder) return { ...braked, ...none };
    // First: there may be another one by the time this one is read.
    this.hasOrder = false;
    const order = await readDirectoryOrder(access, owner, machine);
    if (order === undefined) return { ...braked, ...none };
    const closeOrder = () => deleteDirectoryOrder(access, { owner, machine }, order);
    const { held, memory } = braked;
    const isSure = held?.units.every((name) => weighed.gone.includes(name)) === true;
    if (held !== undefined && isSure && digestOf(held.units) === order.record.confirm) {
      const confirmed = [...memory.confirmed, ...held.units];
      return { ...brake({ ...memory, confirmed }, weighed), isOrdered: true, closeOrder };
    }
    // What is held back may not be all yet.
    this.hasOrder = !weighed.isSettled;
    if (!this.hasOrder) log.warn('a confirmation was for other units than those that are held back');
    return { ...braked, isOrdered: !this.hasOrder, closeOrder };
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

  /** What is to be tried now. */
  async #ripe(holds: ReadonlyMap<UnitName, SeenUnit>, drops: readonly UnitName[]): Promise<Wanted> {
    const { access, clock, owner } = this.#options;
    const nowMs = clock.monotonicMs();
    const adviceOn = (name: UnitName, tried: string) => this.#setbacks.adviceOn(name, { tried, nowMs });
    const open = [...holds].filter(([name, { claim }]) => adviceOn(name, claim.file) !== 'wait');
    const toAsk = open.filter(([name, { claim }]) => adviceOn(name, claim.file) === 'ask');
    const stored = await readStoredUnits(
      access.store,
      toAsk.map(([name]) => name),
    );
    const foreign = new Set<UnitName>();
    for (const [name, { claim }] of toAsk) {
      const found = stored.get(name);
      if (found?.kind !== 'there' || found.record.owner === owner) continue;
      foreign.add(name);
      const setback = { kind: 'conflict', owner: found.record.owner } as const;
      this.#setbacks.note(name, { setback, tried: claim.file, nowMs });
    }
    return {
      holds: new Map(open.filter(([name]) => !foreign.has(name))),
      drops: drops.filter((name) => adviceOn(name, triedDrop) !== 'wait'),
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
    if (error !== undefined) throw error;
  }

  #carryOut(wanted: Wanted, { isOlderCopy }: { readonly isOlderCopy: boolean }): Promise<Tally> {
    const { access, clock, machine, owner } = this.#options;
    const options = { access, side: { owner, claimant: machine }, standing: this.standing, setbacks: this.#setbacks };
    return carryOut({ ...options, nowMs: clock.monotonicMs(), isOlderCopy }, wanted);
  }

  /** Tells the store and the log how the directory fares. */
  async #tell(): Promise<void> {
    const problems = [...this.#problems, ...this.#setbacks.failures];
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

  #problemsOf(sight: SettledSight): readonly DirectoryProblem[] {
    if (sight.kind === 'there') return sight.content.problems;
    return sight.why === 'not-configured' ? [] : [{ source: this.#options.path, message: sight.message }];
  }
}

type Missing = Omit<Differences, 'holds'>;

/** What is to be done about a person's word once it is remembered. */
interface OrderEnd {
  readonly isOrdered: boolean;
  readonly closeOrder: () => Promise<void>;
}
