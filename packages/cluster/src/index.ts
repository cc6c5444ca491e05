export { explain, explainMisfit } from './explain.js';
export { currentState, isWanted } from './launch-state.js';
export { parseMachineId } from './machine-id.js';
export { findMisfit, fitsGlobal, type Misfit, misfits } from './misfits.js';
export type { Cluster, LaunchState, Machine, MachineId, Unit } from './types.js';
export { leavingKey, misfitKey, type WaitReason, waitReason } from './wait-reason.js';
