export { type CommandOptions, type CommandResult, mustRun, runCommand } from './command.js';
export type { EtcdServer } from './etcd-server.js';
export {
  endpointOf,
  findLeader,
  fleetctl,
  journalsOf,
  type Leader,
  listMachines,
  listUnits,
  mustFleetctl,
  startFleet,
  type UnitRow,
  untilLeader,
  untilMachines,
} from './fleet.js';
export type { NetworkCut, TestHost } from './host.js';
export { type FleetConfig, installFleet, singleFiles } from './install-fleet.js';
export { createLab, type Lab, type LabOptions } from './lab.js';
export { findLabOwner, LabInUseError, removeAbandonedLabs } from './lab-record.js';
export { labObstacle } from './requirements.js';
export { showProperty, showUnits } from './show-units.js';
export { isLong } from './test-length.js';
export { addUser, type TestUser, userObstacle } from './user.js';
export { type WaitOptions, waitUntil } from './wait-until.js';
