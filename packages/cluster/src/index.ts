export { explain, explainMisfit } from './explain.js';
export { currentState, isWanted, type Whereabouts } from './launch-state.js';
export { parseMachineId, shortMachineId } from './machine-id.js';
export { findMisfit, fitsGlobal, type MachineContext, type Misfit, misfits } from './misfits.js';
export type { Cluster, LaunchState, Machine, MachineId, SystemdState, Unit } from './types.js';
export { leavingKey, misfitKey, type WaitReason, waitReason } from './wait-reason.js';
