export { describeStoreContract } from './store.contract.js';
export type { StoreFaults, StoreHarness } from './store-harness.js';
