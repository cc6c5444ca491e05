import { type Cluster, fitsGlobal, isWanted, type Machine, type MachineId, type Unit } from '@flotilla/cluster';

interface Ranked {
  readonly machine: Machine;
  readonly load: number;
}

/**
 * The machines by load, least first, equals by ID. A machine's load is the number of wanted non-global units that are
 * placed on it plus that of the wanted global units that fit it.
 */
export class MachineRanking {
  readonly #ranked: Ranked[];

  constructor({ machines, placements, units }: Cluster, leaving: ReadonlySet<string>) {
    const loadByMachine = new Map<MachineId, number>();
    for (const [name, { machine }] of placements) {
      if (!leaving.has(name)) loadByMachine.set(machine, (loadByMachine.get(machine) ?? 0) + 1);
    }
    const globals: Unit[] = [];
    for (const unit of units.values()) if (unit.requirements.isGlobal && isWanted(unit)) globals.push(unit);
    this.#ranked = Array.from(machines.values(), (machine) => ({
      machine,
      load: (loadByMachine.get(machine.id) ?? 0) + globals.filter((unit) => fitsGlobal(unit, machine)).length,
    })).sort(compareRanked);
  }

  /** Finds the first machine that `fits`, and counts one unit more on it. */
  take(fits: (machine: Machine) => boolean): Machine | undefined {
    const index = this.#ranked.findIndex(({ machine }) => fits(machine));
    const found = this.#ranked[index];
    if (found === undefined) return undefined;
    this.#ranked.splice(index, 1);
    const heavier = { machine: found.machine, load: found.load + 1 };
    this.#ranked.splice(this.#insertionIndex(heavier), 0, heavier);
    return found.machine;
  }

  #insertionIndex(ranked: Ranked): number {
    let low = 0;
    let high = this.#ranked.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#ranked[middle];
      if (other !== undefined && compareRanked(other, ranked) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function compareRanked(a: Ranked, b: Ranked): number {
  return a.load - b.load || (a.machine.id < b.machine.id ? -1 : 1);
}
