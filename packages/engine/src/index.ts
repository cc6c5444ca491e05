export { createEngine, type Engine, type EngineOptions } from './engine.js';
export type { Plan } from './plan.js';
export { schedule } from './schedule.js';
