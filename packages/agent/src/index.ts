export { type Agent, type AgentDescription, type AgentOptions, createAgent } from './agent.js';
export { createLeaseStorage } from './lease-storage.js';
