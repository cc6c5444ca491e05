export type { CallObserver, SystemdCall } from './call-observer.js';
export { SystemdUnreachable } from './errors.js';
export { type MemoryCall, MemoryUnitManager, type MemoryUnitManagerOptions } from './memory-unit-manager.js';
export { type CommandResult, type RunCommand, runCommand } from './run-command.js';
export { SystemctlUnitManager, type SystemctlUnitManagerOptions } from './systemctl-unit-manager.js';
export type { UnitFailures, UnitFileHere, UnitFileToLoad, UnitManager, UnitStatus } from './unit-manager.js';
