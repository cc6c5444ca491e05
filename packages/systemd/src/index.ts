export type { UnitFailures, UnitFileToLoad, UnitManager, UnitStatus } from './unit-manager.js';
