export { aborted, type Clock, jittered, sleep, systemClock, type Timer } from './clock.js';
export {
  type CreateLoggerOptions,
  createLogger,
  isJournal,
  type LeveledLogger,
  type LogLevel,
} from './create-logger.js';
export { type LogFields, type Logger, silentLogger } from './logger.js';
export { promptBackoffMs, ReconcileLoop, type ReconcileLoopOptions } from './reconcile-loop.js';
export { TestClock } from './test-clock.js';
export { findJson, findText, parseJson, writeAtomic, writeLasting } from './write-atomic.js';
