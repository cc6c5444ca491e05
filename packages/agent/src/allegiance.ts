import { FleetError } from '@flotilla/errors';
import { type Revision, readStoreIdentity, type Store, type StoreIdentity, setUpStore } from '@flotilla/registry';
import type { Logger } from '@flotilla/runtime';
import type { UnitName } from '@flotilla/unit';
import { type Assignment, type AssignmentFile, emptyAssignment } from './assignment-file.js';
import type { KnownUnit } from './desired.js';
import { findFreezeReason, findLoss, isLasting } from './freeze-reason.js';

export interface AllegianceOptions {
  readonly store: Store;
  readonly file: AssignmentFile;
  readonly log: Logger;
}

/** Which store this machine takes orders from, and what it was told to run: on disk, so that a restart changes nothing. */
export class Allegiance {
  readonly #options: AllegianceOptions;
  #assignment: Assignment = emptyAssignment;
  #freezeReason: string | undefined;
  #isSaved = true;
  /** The units of {@link known} as they are on disk. */
  #saved: Assignment['units'] = emptyAssignment.units;
  /** Registration and the agent's passes ask at the same time; what a store says is compared with what was known of it when it was asked. */
  #turn: Promise<void> = Promise.resolve();

  constructor(options: AllegianceOptions) {
    this.#options = options;
  }

  async load(): Promise<void> {
    this.#assignment = await this.#options.file.load();
    this.#saved = this.#assignment.units;
    this.#freezeReason = this.#assignment.frozen;
    if (this.#freezeReason !== undefined) this.#tellFrozen(this.#freezeReason);
  }

  /** The units that this machine was told to run. */
  get known(): ReadonlyMap<UnitName, KnownUnit> {
    return this.#assignment.units;
  }

  /** Why nothing may be started and stopped, if so. */
  get freezeReason(): string | undefined {
    return this.#freezeReason;
  }

  /**
   * Asks the store who it is; {@link freezeReason} tells what follows. A machine that belongs to no cluster yet joins
   * the store's, and gives it an identity if it has none.
   *
   * @param missing Units of {@link known} that the store has no order for.
   */
  verify(missing: ReadonlyMap<UnitName, KnownUnit>): Promise<void> {
    return this.#inTurn(() => this.#verify(missing));
  }

  async #verify(missing: ReadonlyMap<UnitName, KnownUnit>): Promise<void> {
    const { store } = this.#options;
    const found = await findIdentity(store);
    if (typeof found === 'string') {
      this.#note(found);
      return;
    }
    this.#changeCluster(found);
    const isFree = this.#assignment.cluster === undefined && this.#assignment.frozen === undefined;
    const { cluster, revision } = found.cluster === undefined && isFree ? await setUpStore(store) : found;
    const reason = findFreezeReason(this.#assignment, { cluster, revision }) ?? (await findLoss(store, missing));
    this.#note(reason);
    if (reason !== undefined) {
      const isNew = this.#assignment.frozen !== reason && isLasting({ cluster, revision }, this.#assignment.cluster);
      if (isNew) await this.#save({ ...this.#assignment, frozen: reason });
    } else if (isFree && cluster !== undefined) {
      this.#assignment = { ...this.#assignment, cluster: cluster.uuid };
      this.#isSaved = false;
    }
  }

  /**
   * Saves the units of this machine and how far the store was seen.
   *
   * @returns The units that are not on the disk, with the reason: none may be brought here that the next process would not
   *   know of. What is there already may be started and stopped all the same.
   */
  async remember(units: ReadonlyMap<UnitName, KnownUnit>, revision: Revision): Promise<Map<UnitName, string>> {
    const unsaved = new Map<UnitName, string>();
    await this.#inTurn(async () => {
      const before = this.#assignment;
      if (this.#isSaved && revision <= before.revision && isSame(before.units, units)) return;
      const hasHadUnits = before.hasHadUnits || units.size > 0;
      try {
        await this.#save({ ...before, units, hasHadUnits, revision: Math.max(revision, before.revision) });
      } catch (error) {
        const reason = `this machine can't note that it is to run it: ${error instanceof Error ? error.message : error}`;
        for (const [name, { uid }] of units) if (this.#saved.get(name)?.uid !== uid) unsaved.set(name, reason);
        if (unsaved.size === 0) this.#options.log.warn('what this machine is to run could not be saved', { error });
      }
    });
    return unsaved;
  }

  /** Whether what this machine was told to run is lost. */
  get isLost(): boolean {
    return this.#assignment.cluster === undefined && this.#assignment.frozen !== undefined;
  }

  /**
   * Takes orders from this store from now on, whatever was before.
   *
   * @param units What the machine has, with what this store says of it.
   */
  pledge({ cluster, revision }: StoreIdentity, units: ReadonlyMap<UnitName, KnownUnit>): Promise<void> {
    return this.#inTurn(async () => {
      await this.#save({ cluster: cluster?.uuid, revision, frozen: undefined, hasHadUnits: units.size > 0, units });
      this.#options.log.warn('no longer frozen: this store is the one from now on', { cluster: cluster?.uuid });
      this.#freezeReason = undefined;
    });
  }

  /**
   * The machine has left its cluster. It may join any other, unless some units are still here: the next process is to see to
   * these, and never to start them of its own accord.
   */
  async forget(unstopped: readonly UnitName[]): Promise<void> {
    const before = this.#assignment;
    const left = new Set(unstopped);
    const rest = [...before.units].filter(([name]) => left.has(name));
    const units = new Map(rest.map(([name, unit]) => [name, { ...unit, isLaunched: false, order: undefined }]));
    if (units.size > 0) return await this.#save({ ...before, units });
    this.#assignment = emptyAssignment;
    this.#saved = emptyAssignment.units;
    await this.#options.file.remove();
  }

  /** Where a machine has never had a unit of its cluster, there is nothing to keep from another one's orders. */
  #changeCluster({ cluster }: StoreIdentity): void {
    const { cluster: own, hasHadUnits, frozen } = this.#assignment;
    if (cluster === undefined || own === undefined || cluster.uuid === own || hasHadUnits || frozen !== undefined)
      return;
    const { log } = this.#options;
    log.warn('joining another cluster: this machine never had a unit of its former one', {
      from: own,
      to: cluster.uuid,
    });
    this.#assignment = emptyAssignment;
  }

  #note(reason: string | undefined): void {
    if (reason !== this.#freezeReason) {
      if (reason === undefined) this.#options.log.warn('no longer frozen: the store is the known one again');
      else this.#tellFrozen(reason);
    }
    this.#freezeReason = reason;
  }

  #tellFrozen(reason: string): void {
    this.#options.log.error('frozen: starting and stopping nothing', { reason });
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work, work);
    this.#turn = done;
    return done;
  }

  async #save(assignment: Assignment): Promise<void> {
    this.#assignment = assignment;
    this.#isSaved = false;
    await this.#options.file.save(assignment);
    this.#isSaved = true;
    this.#saved = assignment.units;
  }
}

/** A text is why the store can't say who it is: then the machine is frozen, but one of its cluster. */
async function findIdentity(store: Store): Promise<StoreIdentity | string> {
  try {
    return await readStoreIdentity(store);
  } catch (error) {
    if (error instanceof FleetError && error.code === 'bad-record') return error.message;
    throw error;
  }
}

function isSame(a: ReadonlyMap<UnitName, KnownUnit>, b: ReadonlyMap<UnitName, KnownUnit>): boolean {
  if (a.size !== b.size) return false;
  for (const [name, { hash, uid, isLaunched, order }] of a) {
    const other = b.get(name);
    if (other?.hash !== hash || other.uid !== uid || other.isLaunched !== isLaunched || other.order !== order)
      return false;
  }
  return true;
}
