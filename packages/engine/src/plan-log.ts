import type { Logger } from '@flotilla/runtime';
import type { UnitName } from '@flotilla/unit';
import { explainUnschedule } from './explain.js';
import type { Plan } from './plan.js';

/** Up to this many decisions of a pass are told one by one at level info, more at level debug. Taste. */
const mostDecisionsTold = 100;

export interface LoggedPlan {
  readonly log: Logger;
  readonly pass: number;
  readonly plan: Plan;
  /** The units whose part of the plan is in the store. */
  readonly committed: ReadonlySet<UnitName>;
}

/** Tells what came of a plan, in fleet's words. */
export function logPlan({ log, pass, plan, committed }: LoggedPlan): void {
  const done = plan.decisions.filter(({ unit }) => committed.has(unit));
  const level = done.length > mostDecisionsTold ? 'debug' : 'info';
  for (const decision of done) {
    const { unit, machine } = decision;
    const [type, reason] =
      decision.kind === 'schedule'
        ? ['AttemptScheduleUnit', 'the unit has no machine']
        : ['UnscheduleUnit', explainUnschedule(decision.why)];
    log[level]('EngineReconciler completed task', { pass, type, unit, machine, reason });
  }
  if (level === 'debug') log.info('plan committed', { pass, decisions: done.length });
}
