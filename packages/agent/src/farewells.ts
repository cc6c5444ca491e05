import type { StatePublisher } from '@flotilla/registry';
import type { UnitName } from '@flotilla/unit';
import { type CurrentUnit, isGone } from './current.js';
import type { DesiredUnit, KnownUnit } from './desired.js';
import { rowOf } from './rows.js';

/** Sees to the state rows of units that are gone from this machine. */
export class Farewells {
  readonly #publisher: StatePublisher;
  /** The order to leave that was answered last, by its revision: each is answered once. */
  readonly #answered = new Map<UnitName, number>();
  readonly #discarding = new Set<UnitName>();

  constructor(publisher: StatePublisher) {
    this.#publisher = publisher;
  }

  /** Whether rows are still to be deleted. */
  get isBusy(): boolean {
    return this.#discarding.size > 0;
  }

  /** Whether the row of a unit that is gone may still be in the store. */
  has(name: UnitName): boolean {
    return this.#discarding.has(name);
  }

  /** Has the rows of units deleted that are gone: as an answer where the unit was told to leave. */
  bid(
    { desired, current }: { desired: ReadonlyMap<UnitName, DesiredUnit>; current: ReadonlyMap<UnitName, CurrentUnit> },
    known: ReadonlyMap<UnitName, KnownUnit>,
  ): void {
    const settled = new Set([...this.#discarding].filter((name) => this.#publisher.isSettled(name)));
    for (const name of settled) this.#discarding.delete(name);
    for (const name of this.#answered.keys()) if (!desired.has(name)) this.#answered.delete(name);
    for (const [name, wish] of desired) {
      const unit = current.get(name);
      if (wish.kind !== 'absent' || unit === undefined || !isGone(unit)) continue;
      if (wish.leavingSince !== undefined) {
        if (this.#answered.get(name) === wish.leavingSince) continue;
        this.#answered.set(name, wish.leavingSince);
        this.#publisher.acknowledge(name, rowOf(wish, unit, undefined));
      } else if (known.has(name) && !settled.has(name) && !this.#discarding.has(name)) {
        this.#discarding.add(name);
        this.#publisher.discard(name);
      }
    }
  }
}
