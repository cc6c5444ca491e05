import type { FolderProblem } from '@flotilla/folder';
import { type ApplyPlan, type ApplyStep, destroysMost } from './apply-plan.js';
import type { PlanRequest } from './apply-request.js';

/** Why nothing may be done, in lines for people. */
export interface Refusals {
  readonly errors: readonly string[];
  /** What to do about it. */
  readonly hints: readonly string[];
}

/** What stands in the way of a plan: units of others, and too many that would be destroyed. */
export function findRefusals(plan: ApplyPlan, request: Pick<PlanRequest, 'owner' | 'prune'>): Refusals {
  const conflicts = plan.steps.filter(({ action }) => action === 'conflict');
  const isBraked = request.prune !== 'most' && destroysMost(plan);
  const braked = isBraked ? [brakeText(plan, request.owner)] : [];
  return {
    errors: [...conflicts.map((step) => conflictText(step, request.owner)), ...braked],
    hints: [
      ...conflictHints(conflicts, request.owner),
      ...(isBraked ? ['--prune-most does it all the same. Was a folder left out?'] : []),
    ],
  };
}

/** `units/web.service:3: ...` */
export function problemText({ source, line, message }: FolderProblem): string {
  return `${source}${line === undefined ? '' : `:${line}`}: ${message}`;
}

function conflictText({ name, stored }: ApplyStep, owner: string | undefined): string {
  const whose = stored?.owner === undefined ? 'belongs to no directory' : `belongs to the directory "${stored.owner}"`;
  return `${name} ${whose}${owner === undefined ? '' : `, and not to "${owner}"`}`;
}

function conflictHints(conflicts: readonly ApplyStep[], owner: string | undefined): string[] {
  if (conflicts.length === 0) return [];
  const names = conflicts.map(({ name }) => shellWord(name)).join(' ');
  const others = new Set(conflicts.map(({ stored }) => stored?.owner));
  const [other] = others;
  // Whoever has applied for an owner before may have forgotten to say so.
  const forgotten =
    owner === undefined && others.size === 1 ? [`If you are who applies for ${other}: --owner ${other}`] : [];
  const adopt = `fleetctl adopt${owner === undefined ? '' : ` --owner ${owner}`} ${names}`;
  return [...forgotten, `To take ${conflicts.length === 1 ? 'it' : 'them'} over: ${adopt}`];
}

/** Some names have backslashes. */
function shellWord(name: string): string {
  return /^[\w@.:-]+$/.test(name) ? name : `'${name}'`;
}

function brakeText({ steps, owned }: ApplyPlan, owner: string | undefined): string {
  const destroyed = steps.filter(({ action }) => action === 'destroyed').length;
  const which = destroyed === owned ? `all ${owned}` : `${destroyed} of the ${owned}`;
  return `--prune would destroy ${which} units that were applied for "${owner}"`;
}
