import type { MachineId } from '@flotilla/cluster';
import type { KeyValue, MachineRecord, Revision } from '@flotilla/registry';
import type { ClusterIndex } from './cluster-index.js';
import { type Entry, MirrorTable } from './mirror-table.js';
import { isSameMachine, machineOf, readMachineEntry } from './mirrored-records.js';

export interface MirroredMachinesOptions {
  /** Gets the machines as scheduling sees them. */
  readonly index: ClusterIndex;
  /** A machine has come, gone, or changed in a way that scheduling sees. */
  readonly onChanged: (machine: MachineId) => void;
}

/** The machines whose lease is alive. */
export class MirroredMachines {
  readonly #options: MirroredMachinesOptions;
  readonly #table = new MirrorTable<MachineId, MachineRecord>();

  constructor(options: MirroredMachinesOptions) {
    this.#options = options;
  }

  get entries(): ReadonlyMap<MachineId, Entry<MachineRecord>> {
    return this.#table.entries;
  }

  get(id: MachineId): Entry<MachineRecord> | undefined {
    return this.#table.get(id);
  }

  /** Whether the machine's lease is alive, be its record readable or not. */
  isAlive(id: MachineId): boolean {
    const { machines, unreadable } = this.#options.index.cluster;
    return machines.has(id) || unreadable.machines.has(id);
  }

  /** @throws FleetError `bad-record`; see {@link putUnreadable}. */
  put(id: MachineId, kv: KeyValue): void {
    if (!this.#table.isNews(id, kv.modRevision)) return;
    const { index, onChanged } = this.#options;
    const entry = readMachineEntry(kv);
    const previous = this.#table.get(id);
    this.#table.put(id, entry);
    const machine = machineOf(id, entry);
    const { machines, unreadable } = index.cluster;
    const known = machines.get(id);
    const wasUnreadable = unreadable.machines.has(id);
    if (wasUnreadable) index.setUnreadableMachine(id, false);
    const isOther = wasUnreadable || previous?.createRevision !== entry.createRevision;
    if (!isOther && known !== undefined && isSameMachine(known, machine)) return;
    index.setMachine(id, machine);
    onChanged(id);
  }

  /** A machine has a record that can't be read. */
  putUnreadable(id: MachineId): void {
    const { index, onChanged } = this.#options;
    index.setUnreadableMachine(id, true);
    onChanged(id);
  }

  delete(id: MachineId, revision: Revision): void {
    const { index, onChanged } = this.#options;
    const wasUnreadable = index.cluster.unreadable.machines.has(id);
    if (!this.#table.delete(id, revision) && !wasUnreadable) return;
    if (wasUnreadable) index.setUnreadableMachine(id, false);
    index.setMachine(id, undefined);
    onChanged(id);
  }
}
