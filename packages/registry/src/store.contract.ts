import { describe } from 'node:test';
import { describeCare } from './store-care.contract.js';
import { describeFaults } from './store-faults.contract.js';
import type { StoreHarness, UseStore } from './store-harness.js';
import { describeRanges, describeTransactions } from './store-keys.contract.js';
import { describeLeases } from './store-lease.contract.js';
import { describeWatches } from './store-watch.contract.js';

/**
 * Declares, with `node:test`, one test for each thing that a {@link Store} promises.
 *
 * @param createStore Makes an empty store for one test. Its `faults` are mended before it is closed.
 */
export function describeStoreContract(name: string, createStore: () => Promise<StoreHarness>): void {
  const use: UseStore = (run) => async (test) => {
    const harness = await createStore();
    try {
      await run(harness, test);
    } finally {
      await harness.faults?.heal();
      await harness.close();
    }
  };
  describe(name, () => {
    describeRanges(use);
    describeTransactions(use);
    describeWatches(use);
    describeLeases(use);
    describeCare(use);
    describeFaults(use);
  });
}
