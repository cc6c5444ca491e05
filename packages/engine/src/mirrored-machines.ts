import type { MachineId } from '@flotilla/cluster';
import type { KeyValue, MachineRecord, Revision } from '@flotilla/registry';
import type { ClusterIndex } from './cluster-index.js';
import { type Entry, MirrorTable } from './mirror-table.js';
import { isSameMachine, machineOf, readMachineEntry } from './mirrored-records.js';
import { MirroredSettings, type MirroredSettingsOptions } from './mirrored-settings.js';

export interface MirroredMachinesOptions {
  /** Gets the machines as scheduling sees them. */
  readonly index: ClusterIndex;
  /** A machine has come, gone, or changed in a way that scheduling sees. */
  readonly onChanged: (machine: MachineId) => void;
  /** The cluster's settings are others. */
  readonly onSettingsChanged: () => void;
  /** A value that can't be used; the default holds. */
  readonly onUnreadable: MirroredSettingsOptions['onUnreadable'];
}

/** The machines whose lease is alive, and what they and the cluster were told. */
export class MirroredMachines {
  readonly #options: MirroredMachinesOptions;
  readonly #table = new MirrorTable<MachineId, MachineRecord>();
  readonly told: MirroredSettings;

  constructor(options: MirroredMachinesOptions) {
    this.#options = options;
    this.told = new MirroredSettings({
      onMachineTold: (id) => this.#refresh(id, { isOther: false }),
      onChanged: (now, before) => {
        options.index.setStrategy(now.strategy);
        if (now.maxUnits !== before.maxUnits)
          for (const id of this.#table.entries.keys()) this.#refresh(id, { isOther: false });
        options.onSettingsChanged();
      },
      onUnreadable: options.onUnreadable,
    });
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
    const wasUnreadable = index.cluster.unreadable.machines.has(id);
    if (wasUnreadable) index.setUnreadableMachine(id, false);
    const isOther = wasUnreadable || previous?.createRevision !== entry.createRevision;
    if (this.#refresh(id, { isOther })) onChanged(id);
  }

  /** Has scheduling see a machine as it is now; whether that makes a difference. */
  #refresh(id: MachineId, { isOther }: { readonly isOther: boolean }): boolean {
    const { index } = this.#options;
    const entry = this.#table.get(id);
    if (entry === undefined) return false;
    const known = index.cluster.machines.get(id);
    const machine = machineOf(id, entry, this.told.toldOf(id));
    if (!isOther && known !== undefined && isSameMachine(known, machine)) return false;
    index.setMachine(id, machine);
    return true;
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
