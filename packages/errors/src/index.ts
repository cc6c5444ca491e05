export { assertNever, FatalError, FleetError, type FleetErrorOptions } from './errors.js';
export { version } from './version.js';
