export type {
  ErrorBody,
  LaunchStateWord,
  MachineEntity,
  MachinePage,
  PutUnitEntity,
  UnitEntity,
  UnitOptionEntity,
  UnitPage,
  UnitStateEntity,
  UnitStatePage,
} from './entities.js';
export {
  type DescribedMachine,
  type DescribedUnit,
  type DescribedUnitState,
  fromOptionEntities,
  toErrorBody,
  toMachineEntity,
  toUnitEntity,
  toUnitStateEntity,
} from './entity.js';
export { type ParsedPutUnit, type PutUnit, parsePutUnit } from './put-unit.js';
export {
  errorBodySchema,
  machinePageSchema,
  machineSchema,
  putUnitSchema,
  unitOptionSchema,
  unitPageSchema,
  unitSchema,
  unitStatePageSchema,
  unitStateSchema,
} from './validation.js';
