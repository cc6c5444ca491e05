export { createEngine, type Engine, type EngineOptions } from './engine.js';
export { explainUnschedule } from './explain.js';
export type { Decision, Plan, UnscheduleReason } from './plan.js';
export { applyDecisions, schedule } from './schedule.js';
