import { MemoryStore } from './memory-store.js';
import type { Transaction } from './store.js';

/** For tests: a store in which others write just before a transaction that compares. */
export class RacingStore extends MemoryStore {
  beforeCompare: (() => Promise<unknown>) | undefined;

  override async transact(transaction: Transaction) {
    if ((transaction.compares?.length ?? 0) > 0) await this.beforeCompare?.();
    return super.transact(transaction);
  }
}
