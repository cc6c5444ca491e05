export { describeStoreContract } from './store.contract.js';
export {
  put,
  Recorder,
  read,
  rejects,
  remove,
  type StoreFaults,
  type StoreHarness,
  type UseStore,
  until,
  write,
  writeMany,
} from './store-harness.js';
