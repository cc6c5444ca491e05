import type { MachineId } from '@flotilla/cluster';
import { keys, type Store } from '@flotilla/registry';
import type { Logger } from '@flotilla/runtime';
import type { UnitName } from '@flotilla/unit';
import type { GlobalUnit, OwnRestart } from './assignment-view.js';
import type { CurrentUnit } from './current.js';
import type { DesiredUnit } from './desired.js';

/** What there is to know of the orders that this machine alone was given, each by unit name. */
export interface OwnRestartSources {
  readonly restarts: ReadonlyMap<UnitName, OwnRestart>;
  readonly globals: ReadonlyMap<UnitName, GlobalUnit>;
  readonly desired: ReadonlyMap<UnitName, DesiredUnit>;
  readonly current: ReadonlyMap<UnitName, CurrentUnit>;
}

/** An order that is no longer needed, and what was found to say so. */
export interface SpentRestart {
  readonly unit: UnitName;
  readonly restart: OwnRestart;
  readonly global: GlobalUnit | undefined;
}

/** The orders that are carried out, or that nothing is to come of: the unit is another one by now, or is not to run here. */
export function spentRestarts({ restarts, globals, desired, current }: OwnRestartSources): readonly SpentRestart[] {
  const spent: SpentRestart[] = [];
  for (const [unit, restart] of restarts) {
    const [wish, started, global] = [desired.get(unit), current.get(unit)?.started, globals.get(unit)];
    const { uid, order } = restart.record;
    const isDone = started?.uid === uid && started.order >= order;
    const isMeant = wish?.kind === 'present' && wish.isLaunched && wish.uid === uid;
    // Of one whose file can't be read, nobody knows yet.
    const isMoot = !isMeant && wish?.kind !== 'untouched';
    if (isDone || isMoot) spent.push({ unit, restart, global });
  }
  return spent;
}

export interface OwnRestartsOptions {
  readonly store: Store;
  readonly machine: MachineId;
  readonly log: Logger;
}

/** How long until a deletion that failed is tried again. */
const againMs = 1000;

/** Deletes orders that are spent, one transaction each, beside the passes. */
export class OwnRestarts {
  readonly #options: OwnRestartsOptions;
  /** By unit, the revision of the order that is being deleted. */
  readonly #deleting = new Map<UnitName, number>();

  constructor(options: OwnRestartsOptions) {
    this.#options = options;
  }

  /** Begins to delete what is spent. Returns after how many milliseconds to call again, if there is anything. */
  sweep(sources: OwnRestartSources): number | undefined {
    const spent = spentRestarts(sources);
    for (const each of spent) void this.#delete(each);
    return spent.length > 0 ? againMs : undefined;
  }

  async #delete({ unit, restart, global }: SpentRestart): Promise<void> {
    const { store, machine, log } = this.#options;
    if (this.#deleting.get(unit) === restart.modRevision) return;
    this.#deleting.set(unit, restart.modRevision);
    const key = keys.restart(machine, unit);
    try {
      // Of two ranges, a watch may tell of the later change first: what was seen has to be what there is.
      await store.transact({
        compares: [
          { key, on: 'mod-revision', equals: restart.modRevision },
          { key: keys.global(unit), on: 'mod-revision', equals: global?.modRevision ?? 0 },
        ],
        success: [{ kind: 'delete', from: key }],
      });
    } catch (error) {
      log.warn('an order to restart that is carried out could not be deleted; it is tried again', { unit, error });
    } finally {
      if (this.#deleting.get(unit) === restart.modRevision) this.#deleting.delete(unit);
    }
  }
}
