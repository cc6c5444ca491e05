import type { MachineId } from '@flotilla/cluster';
import { deleteDirectoryOrder, type RegistryAccess, readDirectoryOrder } from '@flotilla/registry';
import type { Logger } from '@flotilla/runtime';
import type { OwnerName } from '@flotilla/unit';
import { type Braked, brake, type DirectoryMemory, digestOf, type Weighed } from './brake.js';

export interface ConfirmedBrakeOptions {
  readonly access: RegistryAccess;
  readonly log: Logger;
  readonly owner: OwnerName;
  readonly machine: MachineId;
}

/** The brake, with what a person has said of what it holds back. */
export class ConfirmedBrake {
  readonly #options: ConfirmedBrakeOptions;
  /** Whether a person has said something. */
  hasOrder = false;

  constructor(options: ConfirmedBrakeOptions) {
    this.#options = options;
  }

  /** `endOrder` takes away what was said, once the memory is kept. One read, if there is something. */
  async weigh(memory: DirectoryMemory, weighed: Weighed): Promise<Braked & { endOrder?: () => Promise<void> }> {
    const { access, log, owner, machine } = this.#options;
    const braked = brake(memory, weighed);
    if (!this.hasOrder) return braked;
    // First: there may be another one by the time this one is read.
    this.hasOrder = false;
    const order = await readDirectoryOrder(access, owner, machine).catch((error: unknown) => {
      this.hasOrder = true;
      throw error;
    });
    if (order === undefined) return braked;
    const endOrder = () => deleteDirectoryOrder(access, { owner, machine }, order);
    const { held } = braked;
    const gone = new Set(weighed.gone);
    if (held?.units.every((name) => gone.has(name)) === true && digestOf(held.units) === order.record.confirm) {
      const confirmed = [...braked.memory.confirmed, ...held.units];
      return { ...brake({ ...braked.memory, confirmed }, weighed), endOrder };
    }
    // What is held back may not be all yet.
    this.hasOrder = !weighed.isSettled;
    if (this.hasOrder) return braked;
    log.warn('a confirmation was for other units than those that are held back');
    return { ...braked, endOrder };
  }
}
