import type { UnitName } from '@flotilla/unit';
import type { Plan } from './plan.js';

/** What came of a leader's pass. */
export interface EnginePass {
  readonly durationMs: number;
  /** Units that were given a machine. */
  readonly scheduled: Carried;
  /** Units that were taken off theirs. */
  readonly unscheduled: Carried;
  /** Of these, those whose machine is lost. */
  readonly fromLost: number;
  /** Of these, those that their machine may not run any more. */
  readonly misfits: number;
  /** Units looked at that no machine may run. Those that wait to be stopped elsewhere first are not among them. */
  readonly blocked: number;
}

export interface Carried {
  readonly decided: number;
  /** Of these, those that did not get into the store. */
  readonly failed: number;
}

export interface PassResult {
  readonly durationMs: number;
  /** `undefined`: there was none. */
  readonly plan: Plan | undefined;
  /** The units whose part of the plan is in the store. */
  readonly committed: ReadonlySet<UnitName>;
}

/** Counts what a pass has done. */
export function summarizePass({ durationMs, plan, committed }: PassResult): EnginePass {
  const decisions = plan?.decisions ?? [];
  const carried = (kind: 'schedule' | 'unschedule'): Carried => {
    const own = decisions.filter((decision) => decision.kind === kind);
    return { decided: own.length, failed: own.filter(({ unit }) => !committed.has(unit)).length };
  };
  const because = (why: 'machine-lost' | 'misfit') =>
    decisions.filter((decision) => decision.kind === 'unschedule' && decision.why.kind === why).length;
  const waits = [...(plan?.blocked.values() ?? [])].map(({ misfits }) => Object.keys(misfits));
  return {
    durationMs,
    scheduled: carried('schedule'),
    unscheduled: carried('unschedule'),
    fromLost: because('machine-lost'),
    misfits: because('misfit'),
    blocked: waits.filter((keys) => !keys.some((key) => /^(leaving|stopping)(:|$)/.test(key))).length,
  };
}
