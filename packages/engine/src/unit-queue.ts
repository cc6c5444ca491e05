import type { UnitNode } from './index-nodes.js';

/** Units that come out in the order of their names. More can be put in while they come out. */
export class UnitQueue {
  readonly #sorted: UnitNode[];
  #next = 0;
  /** In reverse order. */
  readonly #added: UnitNode[] = [];

  /** @param units Without duplicates; kept, and put in order. */
  constructor(units: UnitNode[] = []) {
    this.#sorted = units.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Puts a unit in, unless it was put in already. */
  add(unit: UnitNode): void {
    let low = 0;
    let high = this.#added.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#added[middle] ?? unit).name > unit.name) low = middle + 1;
      else high = middle;
    }
    if (this.#added[low] !== unit) this.#added.splice(low, 0, unit);
  }

  /** The first unit, which is out then; `undefined` if there is none. */
  take(): UnitNode | undefined {
    const sorted = this.#sorted[this.#next];
    const added = this.#added.at(-1);
    if (added !== undefined && (sorted === undefined || added.name <= sorted.name)) {
      this.#added.pop();
      if (added === sorted) this.#next++;
      return added;
    }
    if (sorted !== undefined) this.#next++;
    return sorted;
  }
}
