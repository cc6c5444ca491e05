import type { Task } from './reconcile.js';

/** What the agent does to a unit. */
export type TaskKind = Task['kind'];

/** Who counts what an agent does. Must not throw. */
export interface AgentObserver {
  /** A pass has ended. */
  onPass(pass: { readonly durationMs: number; readonly isFailed: boolean }): void;
  /** Tasks of one kind were carried out; so many of them failed. */
  onTasks(kind: TaskKind, tasks: { readonly count: number; readonly failed: number }): void;
}
