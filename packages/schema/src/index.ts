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
