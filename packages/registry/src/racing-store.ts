import { MemoryStore } from './memory-store.js';
import type { Transaction } from './store.js';

/** For tests: a store in which others write just before a transaction that compares. */
export class RacingStore extends MemoryStore {
  beforeCompare: (() => Promise<unknown>) | undefined;

  /** Done instead of such a transaction, if it throws. */
  insteadOfCompare: ((transaction: Transaction) => void) | undefined;
  /** Done when such a transaction has been carried out. */
  afterCompare: (() => void) | undefined;

  override async transact(transaction: Transaction) {
    if ((transaction.compares?.length ?? 0) === 0) return super.transact(transaction);
    await this.beforeCompare?.();
    this.insteadOfCompare?.(transaction);
    const result = await super.transact(transaction);
    this.afterCompare?.();
    return result;
  }
}
