export type { Cluster, LaunchState, Machine, MachineId, SystemdState, Unit } from './types.js';
