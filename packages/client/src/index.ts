export type { BatchOptions, OperationOutcome } from './batch.js';
export {
  type Client,
  type ClientOptions,
  createClient,
  defaultTimeoutMs,
  type MachineSurvey,
  type PageOptions,
  type UnitStateFilter,
} from './client.js';
export { mapInFlight } from './concurrency.js';
export { type Endpoint, parseEndpoint } from './endpoint.js';
export { ApiError, isTransient } from './errors.js';
export type { Exchange, TlsMaterial } from './transport.js';
