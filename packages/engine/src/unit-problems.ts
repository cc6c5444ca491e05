import type { UnitName } from '@flotilla/unit';

/** What stands in the way of deciding about units: keys that can't be read, and the like. */
export class UnitProblems {
  readonly #byUnit = new Map<UnitName, Set<string>>();
  readonly #units = new Set<UnitName>();

  /** The units with a problem; it changes with the problems. */
  get units(): ReadonlySet<UnitName> {
    return this.#units;
  }

  /** Notes whether there is a problem of this kind. The answer: whether the unit's last problem is gone by that. */
  note(name: UnitName, problem: string, isProblem: boolean): boolean {
    const problems = this.#byUnit.get(name) ?? new Set<string>();
    if (isProblem) {
      this.#byUnit.set(name, problems.add(problem));
      this.#units.add(name);
      return false;
    }
    if (!problems.delete(problem) || problems.size > 0) return false;
    this.#byUnit.delete(name);
    return this.#units.delete(name);
  }
}
