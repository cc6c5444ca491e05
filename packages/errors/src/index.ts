export { assertNever, FatalError, FleetError, type FleetErrorOptions } from './errors.js';
