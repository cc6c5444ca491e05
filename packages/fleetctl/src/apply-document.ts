import type { ApplyStep } from './apply-plan.js';
import { countActions } from './apply-plan.js';
import type { PlannedApply } from './apply-planning.js';
import type { PlanRequest } from './apply-request.js';
import type { StepEnd } from './apply-run.js';
import { isQuietChange } from './apply-text.js';

/** What is known of a unit beside the plan. */
export interface UnitReport {
  /** How the text differs. */
  readonly diff?: string | undefined;
  readonly end?: StepEnd | undefined;
}

/** What `-o json` prints: one document, in which what does not apply is absent. */
export function applyDocument(
  { steps, problems, refusals }: Pick<PlannedApply, 'problems' | 'refusals'> & { readonly steps: readonly ApplyStep[] },
  { owner }: Pick<PlanRequest, 'owner'>,
  reportOf: (step: ApplyStep) => UnitReport,
): object {
  return {
    counts: countActions(steps),
    ...(owner !== undefined && { owner }),
    ...(problems.length > 0 && { problems }),
    ...(refusals.errors.length > 0 && { refusals: refusals.errors }),
    units: steps.map((step) => toEntry(step, owner, reportOf(step))),
  };
}

function toEntry(step: ApplyStep, owner: string | undefined, { diff, end }: UnitReport): object {
  const { name, action, file, stored, holders = [] } = step;
  const itsOwner = stored === undefined ? owner : stored.owner;
  return {
    action,
    ...(stored !== undefined && { desiredState: stored.desiredState }),
    ...(diff !== undefined && { diff }),
    ...(holders.length > 0 && { hosts: holders }),
    ...(isQuietChange(step) && { isCommentOnly: true }),
    ...(file !== undefined && { line: file.line }),
    ...(end?.machineID !== undefined && { machineID: end.machineID }),
    name,
    ...(end !== undefined && { outcome: end.outcome }),
    ...(itsOwner !== undefined && { owner: itsOwner }),
    ...(file !== undefined && { source: file.source }),
    ...(end?.why !== undefined && { why: end.why }),
  };
}
