import { applyDocument } from './apply-document.js';
import { planApply } from './apply-planning.js';
import { type ApplyRequest, ApplyRun, type DoneApply } from './apply-run.js';
import { countsText } from './apply-text.js';
import { warnOfIgnored } from './apply-warnings.js';
import type { Context } from './context.js';
import { exitCodes } from './exit-codes.js';
import { tellRefusals } from './show-plan.js';
import { formatStructured } from './structured.js';

/**
 * Makes the cluster have the units of the paths, and waits until it has. Nothing is done if something stands in the way.
 *
 * @returns The exit code.
 */
export async function applyUnits(context: Context, request: ApplyRequest): Promise<number> {
  const { screen } = context;
  const { form } = request;
  const planned = await planApply(context, request, 'whether');
  const isRefused = planned.refusals.errors.length > 0;
  warnOfIgnored(screen, planned.plan.steps, request);
  const run = new ApplyRun(form === 'text' ? context : { ...context, screen: screen.quiet() }, request);
  const exitCode = isRefused ? exitCodes.failed : await run.carryOut(planned.plan.steps);
  const { steps, ends } = run.done;
  if (form === 'json') {
    const shown = isRefused ? planned.plan.steps : steps;
    const document = applyDocument({ ...planned, steps: shown }, request, ({ name }) => ({ end: ends.get(name) }));
    screen.write(await formatStructured(document, 'json'));
  } else if (form === 'name')
    screen.write(
      changedNames(run.done)
        .map((name) => `${name}\n`)
        .join(''),
    );
  else if (!isRefused) screen.out(summaryText(run.done));
  tellRefusals(screen, planned.refusals, 'Nothing was applied.');
  return exitCode;
}

function changedNames({ steps, ends }: DoneApply): string[] {
  return steps.flatMap(({ name }) => (ends.has(name) && ends.get(name)?.outcome !== 'refused' ? [name] : []));
}

/** `3 created, 996 unchanged; 1 failed`. */
function summaryText({ steps, ends }: DoneApply): string {
  const countOf = (outcome: string) => [...ends.values()].filter((end) => end.outcome === outcome).length;
  const taken = steps.filter(({ name }) => ends.get(name)?.outcome !== 'refused');
  const counted = [
    [countOf('refused'), 'refused'],
    [countOf('failed'), 'failed'],
    [countOf('pending'), 'not there yet'],
  ] as const;
  const parts = counted.flatMap(([count, word]) => (count === 0 ? [] : [`${count} ${word}`]));
  return [countsText(taken, 'done'), ...parts].filter((text) => text !== '').join('; ');
}
