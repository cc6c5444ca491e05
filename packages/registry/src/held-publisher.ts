import type { MachineId } from '@flotilla/cluster';
import type { UnitName } from '@flotilla/unit';
import { chunks } from './chunks.js';
import { keys, ranges } from './keys.js';
import { encodeRecord, type HeldRecord } from './records.js';
import { type LeaseId, maxTransactionSize, type Operation, type Store } from './store.js';

/** Keeps `held/<machine>/` as it should be while a machine is frozen: writes on change only, and all anew on another lease. */
export class HeldPublisher {
  readonly #store: Store;
  readonly #machine: MachineId;
  readonly #published = new Map<UnitName, string>();
  #lease: LeaseId | undefined;

  constructor(store: Store, machine: MachineId) {
    this.#store = store;
    this.#machine = machine;
  }

  /** @throws StoreError; what was not written is written by the next call. */
  async publish(held: ReadonlyMap<UnitName, HeldRecord>, lease: LeaseId): Promise<void> {
    if (this.#lease !== lease) {
      await this.#store.transact({ success: [{ kind: 'delete', ...ranges.heldOf(this.#machine) }] });
      this.#published.clear();
      this.#lease = lease;
    }
    const changed = [...new Set([...held.keys(), ...this.#published.keys()])].filter(
      (name) => textOf(held.get(name)) !== this.#published.get(name),
    );
    for (const names of chunks(changed, maxTransactionSize)) {
      await this.#store.transact({ success: names.map((name) => this.#operation(name, held.get(name), lease)) });
      for (const name of names) {
        const text = textOf(held.get(name));
        if (text === undefined) this.#published.delete(name);
        else this.#published.set(name, text);
      }
    }
  }

  /** The machine is no longer frozen, and its keys are gone. */
  forget(): void {
    this.#lease = undefined;
  }

  #operation(name: UnitName, record: HeldRecord | undefined, lease: LeaseId): Operation {
    const key = keys.held(this.#machine, name);
    return record === undefined
      ? { kind: 'delete', from: key }
      : { kind: 'put', key, value: encodeRecord(record), lease };
  }
}

function textOf(record: HeldRecord | undefined): string | undefined {
  return record && JSON.stringify(record);
}
