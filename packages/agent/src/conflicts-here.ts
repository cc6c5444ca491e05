import { isWanted } from '@flotilla/cluster';
import type { UnitFileHere } from '@flotilla/systemd';
import type { Requirements, UnitName } from '@flotilla/unit';
import type { CurrentUnit } from './current.js';
import type { DesiredUnit } from './desired.js';
import { outgoingUnits, startedUnits, waitingUnits } from './giving-way.js';
import { fittingGlobals, type GlobalSources, isResident } from './globals-here.js';
import type { Task } from './reconcile.js';
import { UnitRequirements, type UnitRequirementsOptions } from './unit-requirements.js';

type Orders = Omit<GlobalSources, 'requirements'>;

interface Situation {
  readonly desired: ReadonlyMap<UnitName, DesiredUnit>;
  readonly current: ReadonlyMap<UnitName, CurrentUnit>;
}

/** Reads what decides which units of this machine can't be together, and no more. */
export class ConflictsHere {
  readonly #requirements: UnitRequirements;
  readonly #log: UnitRequirementsOptions['log'];
  #waiting: ReadonlyMap<UnitName, UnitName> = new Map();

  constructor(options: UnitRequirementsOptions) {
    this.#requirements = new UnitRequirements(options);
    this.#log = options.log;
  }

  /**
   * The requirements that decide which global units run here.
   *
   * @throws StoreError if the store can't be reached.
   */
  async readForGlobals(
    orders: Orders,
    files: ReadonlyMap<UnitName, UnitFileHere>,
  ): Promise<ReadonlyMap<UnitName, Requirements>> {
    const wanted = new Map<UnitName, string>();
    for (const [name, { record }] of orders.globals) if (isWanted({ ...record, name })) wanted.set(name, record.file);
    const requirements = await this.#requirements.read(wanted, files);
    // Where no global unit could run, nobody keeps one off.
    if (fittingGlobals({ ...orders, requirements }).length === 0) return requirements;
    const residents = new Map<UnitName, string>();
    for (const [name, scheduled] of orders.schedule)
      if (isResident(scheduled)) residents.set(name, scheduled.record.file);
    return new Map([...requirements, ...(await this.#requirements.read(residents, files))]);
  }

  /**
   * The units that `tasks` would start although one that they conflict with is still on its way out, each with that one.
   *
   * @throws StoreError if the store can't be reached.
   */
  async findWaiting(tasks: readonly Task[], { desired, current }: Situation): Promise<ReadonlyMap<UnitName, UnitName>> {
    const [starting, outgoing] = [startedUnits(tasks), outgoingUnits(desired, current)];
    const isClear = starting.size === 0 || outgoing.length === 0;
    const waiting = isClear
      ? new Map()
      : waitingUnits(starting, outgoing, await this.#readFor([...starting, ...outgoing], { desired, current }));
    for (const [unit, other] of waiting)
      if (this.#waiting.get(unit) !== other) this.#log.info('a unit waits for another one to stop', { unit, other });
    this.#waiting = waiting;
    return waiting;
  }

  /** Forgets what was not needed since the last call. */
  forgetUnused(): void {
    this.#requirements.forgetUnused();
  }

  /** Of a unit that is to be here, by the file that it is to have; of another one, by the file that it has. */
  async #readFor(names: readonly UnitName[], { desired, current }: Situation): Promise<Map<UnitName, Requirements>> {
    const wanted = new Map<UnitName, string>();
    const here = new Map<UnitName, UnitFileHere>();
    for (const name of names) {
      const [wish, file] = [desired.get(name), current.get(name)?.file];
      if (file !== undefined) here.set(name, file);
      const sha256 = wish?.kind === 'present' ? wish.file : file?.sha256;
      if (sha256 !== undefined) wanted.set(name, sha256);
    }
    return await this.#requirements.read(wanted, here);
  }
}
