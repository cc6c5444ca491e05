export { type UnitManagerUnderTest, unitManagerContract } from './unit-manager.contract.js';
