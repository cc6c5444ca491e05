import type { UnitName } from '@flotilla/unit';
import type { UnitStatus } from './unit-manager.js';

/** What systemd has said of units in one answer. */
export interface Listing {
  /** By the names that were asked for. */
  readonly statuses: ReadonlyMap<string, UnitStatus>;
  /** Names that were asked for and are another name of a unit, with that unit's own name. */
  readonly aliases: ReadonlyMap<string, string>;
}

/** Times here count events, not seconds: what has the larger number came later. */
interface Entry {
  status: UnitStatus | undefined;
  /** When systemd was asked for `status`. */
  askedAt: number;
  doubtedAt: number;
}

/**
 * The last known state of every unit that somebody has asked for, and whether it may have changed since. A doubt
 * that comes while systemd is being asked outlives the answer.
 */
export class UnitStates {
  readonly #entries = new Map<string, Entry>();
  /** Other names of a unit, by its own. */
  readonly #aliases = new Map<string, Set<string>>();
  #now = 0;
  #allDoubtedAt = 0;

  /** Every unit that is known. */
  get names(): Iterable<string> {
    return this.#entries.keys();
  }

  /** The state of a unit if it is certain. */
  find(name: UnitName): UnitStatus | undefined {
    const entry = this.#entries.get(name);
    return entry !== undefined && entry.askedAt > Math.max(entry.doubtedAt, this.#allDoubtedAt)
      ? entry.status
      : undefined;
  }

  /** Notes that units may have changed. Returns whether one of them is known. */
  doubt(names: Iterable<string>): boolean {
    const at = ++this.#now;
    let isKnown = false;
    for (const own of names) {
      for (const name of [own, ...(this.#aliases.get(own) ?? [])]) {
        const entry = this.#entries.get(name);
        if (entry === undefined) continue;
        entry.doubtedAt = at;
        isKnown = true;
      }
    }
    return isKnown;
  }

  /** Notes that every unit may have changed, and forgets those that nobody has asked for since the last time. */
  doubtAll(): void {
    for (const [name, { askedAt }] of this.#entries) if (askedAt < this.#allDoubtedAt) this.#entries.delete(name);
    for (const [own, others] of this.#aliases) {
      for (const name of others) if (!this.#entries.has(name)) others.delete(name);
      if (others.size === 0) this.#aliases.delete(own);
    }
    this.#allDoubtedAt = ++this.#now;
  }

  /** Notes that systemd is being asked for `names`; the number belongs to {@link learn}. */
  ask(names: Iterable<string>): number {
    for (const name of names)
      if (!this.#entries.has(name)) this.#entries.set(name, { status: undefined, askedAt: 0, doubtedAt: 0 });
    return ++this.#now;
  }

  /** Takes an answer to what was asked at `askedAt`. Returns whether it changes anything that was known. */
  learn({ statuses, aliases }: Listing, askedAt: number): boolean {
    let hasChanged = false;
    for (const [name, status] of statuses) {
      const before = this.#entries.get(name);
      if (before !== undefined && before.askedAt > askedAt) continue;
      hasChanged ||= before?.status !== undefined && !isSame(before.status, status);
      this.#entries.set(name, { status, askedAt, doubtedAt: before?.doubtedAt ?? 0 });
    }
    for (const [name, own] of aliases) this.#aliases.set(own, (this.#aliases.get(own) ?? new Set()).add(name));
    return hasChanged;
  }
}

function isSame(a: UnitStatus, b: UnitStatus): boolean {
  return a.load === b.load && a.active === b.active && a.sub === b.sub && a.job === b.job;
}
