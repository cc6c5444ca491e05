export { type CommandOptions, type CommandResult, mustRun, runCommand } from './command.js';
export type { EtcdServer } from './etcd-server.js';
export type { TestHost } from './host.js';
export { createLab, type Lab, type LabOptions } from './lab.js';
export { LabInUseError, removeAbandonedLabs } from './lab-record.js';
export { labObstacle } from './requirements.js';
export { type WaitOptions, waitUntil } from './wait-until.js';
