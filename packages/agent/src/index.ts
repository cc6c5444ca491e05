export { type Agent, type AgentOptions, createAgent } from './agent.js';
export type { AgentDescription } from './agent-description.js';
export type { AgentObserver, TaskKind } from './agent-observer.js';
export { createLeaseStorage } from './lease-storage.js';
