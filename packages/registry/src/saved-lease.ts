import type { MachineId } from '@flotilla/cluster';
import type { LeaseId } from './store.js';

/** What a daemon keeps on disk to go on with its lease after a restart. */
export interface SavedLease {
  readonly lease: LeaseId;
  /** Whom it was held by; another machine ID, boot or instance starts afresh. */
  readonly machine: MachineId;
  readonly boot: string;
  readonly instance: string;
}

/** Where a {@link SavedLease} is kept. Both may reject: nobody registers before `load` has answered; `save` is tried again. */
export interface LeaseStorage {
  load(): Promise<SavedLease | undefined>;
  save(saved: SavedLease | undefined): Promise<void>;
}
