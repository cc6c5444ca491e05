import type { MachineId } from '@flotilla/cluster';
import {
  type Following,
  findRecord,
  follow,
  HeldPublisher,
  type HeldRecord,
  type KeyValue,
  keys,
  type Registration,
  type Store,
  type UnfreezeRecord,
  type UnfreezeWord,
} from '@flotilla/registry';
import type { Clock, Logger } from '@flotilla/runtime';
import type { UnitFileHere, UnitManager } from '@flotilla/systemd';
import type { UnitName } from '@flotilla/unit';
import type { Allegiance } from './allegiance.js';
import type { AssignmentView } from './assignment-view.js';
import { heldUnits, ownFiles } from './held-units.js';
import type { StartedRecords } from './started-records.js';
import { unfreeze } from './unfreeze.js';

export interface FreezeOptions {
  readonly store: Store;
  readonly unitManager: UnitManager;
  readonly machine: MachineId;
  readonly registration: Registration;
  readonly view: AssignmentView;
  readonly started: StartedRecords;
  readonly allegiance: Allegiance;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called when an order has come. */
  readonly onWake: () => void;
}

/** What this machine does while it is frozen: it says what it has, and waits for the order of a person. */
export class Freeze {
  readonly #options: FreezeOptions;
  readonly #publisher: HeldPublisher;
  #following: Following | undefined;

  constructor(options: FreezeOptions) {
    this.#options = options;
    this.#publisher = new HeldPublisher(options.store, options.machine);
  }

  /** Says what is here, and carries out an order if there is one. Returns whether the machine is frozen no longer. */
  async endure(): Promise<boolean> {
    const { allegiance, registration, machine, started, store, log, view } = this.#options;
    const { lease } = registration;
    if (lease === undefined) return false;
    const held = await this.#look();
    await this.#publisher.publish(held.records, lease.id);
    registration.setHeld(held.records.size);
    this.#following ??= this.#followOrder();
    // Not from memory: the order may have been for a store that is gone by now.
    const how = this.#findOrder((await store.range({ from: keys.unfreeze(machine) })).kvs[0]);
    if (how === undefined) return false;
    await unfreeze({ access: { store, log }, machine, allegiance, started, view, held, how });
    return true;
  }

  /** The machine is not frozen, or its daemon ends. */
  end(): void {
    this.#following?.close();
    this.#following = undefined;
    this.#publisher.forget();
  }

  async #look(): Promise<HeldHere> {
    const { unitManager, started: startedRecords, allegiance } = this.#options;
    const { known } = allegiance;
    const [files, started] = [await unitManager.listFiles(), await startedRecords.read()];
    const names = ownFiles({ files, started, known }, allegiance.isLost);
    const contents = await unitManager.readFiles(names);
    const statuses = await unitManager.listUnits(names);
    return { files, contents, records: heldUnits(names, { files, contents, statuses, started, known }) };
  }

  #followOrder(): Following {
    const { store, clock, log, machine, onWake } = this.#options;
    const ranges = [{ from: keys.unfreeze(machine) }];
    return follow({ store, clock, log, ranges, follower: { onSnapshot: onWake, onEvents: onWake } });
  }

  /** Of a word that this version does not know, nothing is done: the wrong one stops units. */
  #findOrder(kv: KeyValue | undefined): UnfreezeWord | undefined {
    const how = findRecord<UnfreezeRecord>(kv, this.#options.log)?.how;
    if (how === 'adopt' || how === 'discard') return how;
    if (kv !== undefined) this.#options.log.warn('an order to unfreeze is ignored', { key: kv.key, how });
    return undefined;
  }
}

/** What a frozen machine has. */
export interface HeldHere {
  readonly files: ReadonlyMap<UnitName, UnitFileHere>;
  readonly contents: ReadonlyMap<UnitName, Uint8Array>;
  readonly records: ReadonlyMap<UnitName, HeldRecord>;
}
