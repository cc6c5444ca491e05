export type { Cluster, LaunchState, Machine, MachineId, Placement, StoppingUnit, Unit } from './cluster-model.js';
export { formatDurationMs, parseDurationMs } from './duration.js';
export { explain, explainMisfit } from './explain.js';
export { compareCreation, conflicts, fitsGlobal, globalMisfits, globalsOn } from './globals.js';
export { currentState, isWanted } from './launch-state.js';
export { parseMachineId, shortMachineId } from './machine-id.js';
export { effectiveMetadata, matchesMetadata, passesTest, spellTest } from './metadata.js';
export {
  everyMisfit,
  findMisfit,
  type MachineContext,
  type Misfit,
  type MisfitRule,
  misfits,
  ruleOf,
} from './misfits.js';
export {
  type ClusterSettings,
  defaultSettings,
  effectiveLimit,
  findSettingProblem,
  isSettingKey,
  parseSettings,
  printSettings,
  type Setting,
  type SettingKey,
  settingKeys,
  settingTable,
  unknownSetting,
} from './settings.js';
export { spellRequirements } from './spell-requirements.js';
export type {
  LeaderExplains,
  MachineExplanation,
  UnitExplanation,
  UnitStanding,
  UnknownUnit,
} from './unit-explanation.js';
export { awaitedPeerKey, leavingKey, misfitKey, stoppingKey, type WaitReason, waitReason } from './wait-reason.js';
