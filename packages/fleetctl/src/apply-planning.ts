import { mapInFlight } from '@flotilla/client';
import { type FolderContent, type FolderProblem, readUnitPaths } from '@flotilla/folder';
import type { UnitEntity } from '@flotilla/schema';
import { type ApplyPlan, decideApply } from './apply-plan.js';
import { findRefusals, problemText, type Refusals } from './apply-refusals.js';
import type { PlanRequest } from './apply-request.js';
import type { Context } from './context.js';

/** What is to be done, and what stands in its way. */
export interface PlannedApply {
  readonly plan: ApplyPlan;
  /** What is wrong with the files. */
  readonly problems: readonly FolderProblem[];
  /** None: it may be done. */
  readonly refusals: Refusals;
}

/** `apply` needs only to know whether files differ, `diff` also how. */
export type PlanDepth = 'whether' | 'how';

/** Reads files and registry, and decides. The registry is not asked about files that are broken. */
export async function planApply(context: Context, request: PlanRequest, depth: PlanDepth): Promise<PlannedApply> {
  const { paths, allowUnknown, prune } = request;
  const content = await readUnitPaths(paths, { allowUnknown });
  const { problems } = content;
  if (problems.length > 0 || (content.units.size === 0 && prune !== 'most')) {
    const errors = problems.length > 0 ? problems.map(problemText) : [`there is no unit file in ${paths.join(', ')}`];
    const hints =
      problems.length > 0 || prune === 'none' ? [] : [`--prune-most destroys all that ${request.owner} has.`];
    return { plan: { steps: [], owned: 0 }, problems, refusals: { errors, hints } };
  }
  const plan = await decide(context, request, { content, depth });
  return { plan, problems, refusals: findRefusals(plan, request) };
}

async function decide(
  context: Context,
  { owner, prune }: PlanRequest,
  { content, depth }: { readonly content: FolderContent; readonly depth: PlanDepth },
): Promise<ApplyPlan> {
  const claims = owner === undefined || prune === 'none' ? new Map() : await readClaims(context, owner);
  const names = new Set([...content.units.keys(), ...claims.keys()]);
  const stored = await context.reader.units([...names]);
  const input = { files: content.units, stored, owner, claims };
  const plan = decideApply(input);
  return depth === 'whether' ? plan : decideApply({ ...input, stored: await withTexts(context, stored, plan) });
}

/** Units that were applied for the owner, with the hosts that have them in their directories of that name. */
async function readClaims({ client }: Context, owner: string): Promise<Map<string, readonly string[]>> {
  const { unitList = [] } = (await client.findDirectory(owner)) ?? {};
  const claims = unitList.map(({ name, claimants }) => ({ name, hosts: claimants.map(({ claimant }) => claimant) }));
  return new Map(
    claims.flatMap(({ name, hosts }) =>
      hosts.includes(applyClaimant) ? [[name, hosts.filter((host) => host !== applyClaimant)]] : [],
    ),
  );
}

/** What the API calls us, among hosts. */
const applyClaimant = 'apply';

/** Lists have no files: those of units that differ are read one by one. One that is gone by then is to be created. */
async function withTexts({ client }: Context, stored: ReadonlyMap<string, UnitEntity>, { steps }: ApplyPlan) {
  const lacking = steps.filter(({ action, stored: unit }) => action === 'changed' && unit?.file === undefined);
  const read = await mapInFlight(lacking, async ({ name }) => ({ name, unit: await client.findUnit(name) }));
  const complete = new Map(stored);
  for (const { name, unit } of read) {
    if (unit === undefined) complete.delete(name);
    else complete.set(name, unit);
  }
  return complete;
}
