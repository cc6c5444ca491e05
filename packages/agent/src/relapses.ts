import type { UnitName } from '@flotilla/unit';
import { type CurrentUnit, motion } from './current.js';
import type { DesiredUnit } from './desired.js';
import type { Task } from './reconcile.js';

/** A pass's tasks that were carried out, and what it saw before. */
export interface PassedTasks {
  readonly tasks: readonly Task[];
  readonly desired: ReadonlyMap<UnitName, DesiredUnit>;
  readonly current: ReadonlyMap<UnitName, CurrentUnit>;
}

/**
 * Units that run again although systemd took the order to stop them: a mount that is busy, a unit that others pull up.
 * Without this they would be told again and again, as fast as systemd gives up.
 */
export class Relapses {
  /** Units that were told to stop and have not been seen at rest since, with what was asked of them. */
  readonly #stopping = new Map<UnitName, string>();

  /** Whether a unit was told to stop and has not come to rest yet. */
  has(name: UnitName): boolean {
    return this.#stopping.has(name);
  }

  /** Notes what was stopped, and adds to `failures` what is stopped for the same reason once more. */
  tell({ tasks, desired, current }: PassedTasks, failures: Map<UnitName, string>): void {
    for (const [name, wish] of this.#stopping) {
      const unit = current.get(name);
      const isOver = unit === undefined || motion(unit.status) === 'at-rest';
      if (isOver || wish !== JSON.stringify(desired.get(name))) this.#stopping.delete(name);
    }
    for (const { kind, unit } of tasks) {
      if (kind !== 'stop' || failures.has(unit)) continue;
      if (this.#stopping.has(unit)) failures.set(unit, 'systemd was told to stop it, and it runs again');
      else this.#stopping.set(unit, JSON.stringify(desired.get(unit)));
    }
  }
}
