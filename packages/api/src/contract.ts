export { type RawAnswer, RawClient } from './raw-client.js';
export { describeV1Contract } from './v1.contract.js';
export type { V1Harness } from './v1-harness.js';
