export { ClusterIndex } from './cluster-index.js';
export { createEngine, type Engine, type EngineOptions } from './engine.js';
export type { Carried, EnginePass } from './engine-pass.js';
export { createExplainer, type Explainer, type ExplainerOptions } from './explainer.js';
export type { Plan } from './plan.js';
export { decide, schedule } from './schedule.js';
