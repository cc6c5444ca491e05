import { applyDocument } from './apply-document.js';
import type { ApplyStep } from './apply-plan.js';
import { planApply } from './apply-planning.js';
import type { Refusals } from './apply-refusals.js';
import type { PlanRequest } from './apply-request.js';
import { countsText, paintDiff, placeOf, stepLine } from './apply-text.js';
import { warnOfIgnored } from './apply-warnings.js';
import type { Context } from './context.js';
import { exitCodes } from './exit-codes.js';
import { formatStructured } from './structured.js';
import type { Screen } from './terminal.js';
import { storedContent } from './unit-content.js';
import { loadUnitDiff, textOf } from './unit-diff.js';

/**
 * Shows what `apply` would do.
 *
 * @returns The exit code: whether it would do anything, or refuse to.
 */
export async function showPlan(context: Context, request: PlanRequest): Promise<number> {
  const { screen } = context;
  const planned = await planApply(context, request, 'how');
  const { steps } = planned.plan;
  const differing = steps.filter(({ action }) => action !== 'unchanged' && action !== 'conflict');
  const diffs = await diffsOf(steps);
  warnOfIgnored(screen, steps, request);
  if (request.form === 'json') {
    const document = applyDocument({ ...planned, steps }, request, ({ name }) => ({ diff: diffs.get(name) }));
    screen.write(await formatStructured(document, 'json'));
  } else if (request.form === 'name') screen.write(differing.map(({ name }) => `${name}\n`).join(''));
  else tellSteps(screen, steps, diffs);
  tellRefusals(screen, planned.refusals, 'fleetctl apply would do nothing.');
  if (planned.refusals.errors.length > 0) return exitCodes.failed;
  return differing.length > 0 ? exitCodes.differs : exitCodes.done;
}

/** Prints why nothing is done, if so. */
export function tellRefusals(screen: Screen, { errors, hints }: Refusals, outcome: string): void {
  for (const error of errors) screen.err(screen.palette.bad(`Error: ${error}`));
  for (const hint of hints) screen.err(hint);
  if (errors.length > 0) screen.err(outcome);
}

function tellSteps(screen: Screen, steps: readonly ApplyStep[], diffs: ReadonlyMap<string, string>): void {
  const shown = new Map<string, string>();
  for (const step of steps) {
    const diff = diffs.get(step.name);
    // A hundred instances change as their template does.
    const change = diff?.slice(diff.indexOf('\n@@'));
    const twin = change === undefined ? undefined : shown.get(change);
    const line = stepLine(step, screen.outPalette, twin);
    if (line !== undefined) screen.out(line);
    if (change !== undefined && twin === undefined) shown.set(change, step.name);
    if (diff !== undefined && twin === undefined)
      screen.write(screen.terminal.isOutTerminal ? paintDiff(diff, screen.outPalette) : diff);
  }
  if (steps.length > 0) screen.out(countsText(steps, 'planned'));
}

/** By name, for those that change. */
async function diffsOf(steps: readonly ApplyStep[]): Promise<Map<string, string>> {
  const diffs = new Map<string, string>();
  const changed = steps.filter(({ action }) => action === 'changed');
  if (changed.length === 0) return diffs;
  const diffOf = await loadUnitDiff();
  for (const { name, file, stored } of changed)
    if (file !== undefined && stored !== undefined) {
      const text = textOf(file.bytes);
      diffs.set(name, diffOf({ name, stored: storedContent(stored).text, text, source: placeOf(file) }));
    }
  return diffs;
}
