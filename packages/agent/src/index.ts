export { type Agent, type AgentOptions, createAgent } from './agent.js';
export { createLeaseStorage } from './lease-storage.js';
