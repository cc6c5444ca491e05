import { type Client, mapInFlight } from '@flotilla/client';
import type { UnitEntity, UnitStateEntity } from '@flotilla/schema';

/** Up to this many units are asked for one by one, whatever the size of the cluster: one round of requests. */
const fewUnits = 8;

/** What is read of the list at once: as many as are wanted, in these limits. */
const [smallestPage, largestPage] = [100, 500];

/** A page costs about as much as a single unit for each twelve that are on it. */
const pagePerUnits = 12;

/**
 * Reads chosen units and their states with few requests: a handful one by one, many by walking the list, and, once a
 * walk has turned out to be longer than the units are worth, one by one again.
 */
export class UnitReader {
  readonly #client: Client;
  #isLongList = false;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Those that exist. Without `file`, unless they were read one by one. */
  async units(names: readonly string[]): Promise<Map<string, UnitEntity>> {
    const found = new Map<string, UnitEntity>();
    const pages = this.#client.unitPages({ limit: pageLimit(names) });
    const missing = await this.#walk(names, pages, (unit) => found.set(unit.name, unit));
    const singles = await mapInFlight(missing, (name) => this.#client.findUnit(name));
    for (const unit of singles) if (unit !== undefined) found.set(unit.name, unit);
    return found;
  }

  /** The states of each of the units, by machine; no entry for a unit that has none. */
  async states(names: readonly string[]): Promise<Map<string, UnitStateEntity[]>> {
    const found = new Map<string, UnitStateEntity[]>();
    const add = (state: UnitStateEntity) => found.set(state.name, [...(found.get(state.name) ?? []), state]);
    const missing = await this.#walk(names, this.#client.statePages({ limit: pageLimit(names) }), add);
    // A walk may have ended between two rows of a unit.
    for (const name of missing) found.delete(name);
    const singles = await mapInFlight(missing, (unitName) => this.#client.listStates({ unitName }));
    for (const state of singles.flat()) add(state);
    return found;
  }

  /** Gives the wanted items of the list to `take`; returns the names that it did not come to. */
  async #walk<Item extends { readonly name: string }>(
    names: readonly string[],
    pages: AsyncGenerator<readonly Item[]>,
    take: (item: Item) => void,
  ): Promise<readonly string[]> {
    if (names.length <= fewUnits || this.#isLongList) return names;
    const wanted = new Set(names);
    const last = [...names].sort().at(-1) ?? '';
    let budget = Math.ceil((names.length * pagePerUnits) / pageLimit(names));
    let reached = '';
    for await (const page of pages) {
      for (const item of page) if (wanted.has(item.name)) take(item);
      reached = page.at(-1)?.name ?? reached;
      if (reached > last) return [];
      if (budget-- > 0) continue;
      this.#isLongList = true;
      return names.filter((name) => name >= reached);
    }
    return [];
  }
}

function pageLimit(names: readonly string[]): number {
  return Math.min(Math.max(names.length, smallestPage), largestPage);
}
