import type { Context } from './context.js';
import type { Outcome } from './exit-codes.js';
import type { Follow } from './follow.js';
import { machineIdLabel } from './machine-label.js';
import type { RestartStep } from './restart-plan.js';

export interface TurnOptions {
  readonly context: Context;
  readonly follow: Follow;
  /** Restarts one, and waits for it. What is not done has been told and counted. */
  readonly take: (step: RestartStep) => Promise<Outcome>;
}

/** Of those before it in its turn, so many are looked at before the next is asked for: what crashes does so in a moment. Taste. */
const lookedBackAt = 2;

/** A line stays one that people can read. */
const mostNamesTold = 3;

/**
 * Restarts one after the other. When one fails, is not there in time, or has failed again since, those after it are left
 * alone, and that is told; so it is at Ctrl-C.
 */
export async function restartInTurn(steps: readonly RestartStep[], { context, follow, take }: TurnOptions) {
  const { screen } = context;
  let left = steps;
  let current: RestartStep | undefined;
  const leave = (failed: RestartStep | undefined, outcome: Exclude<Outcome, 'done'>) => {
    const why = outcome === 'failed' ? 'failed' : 'is not there yet';
    for (const step of failed === undefined ? [] : left) {
      screen.err(screen.palette.bad(`Unit ${nameOf(step)} is left alone: ${failed && nameOf(failed)} ${why}`));
      follow.count(outcome);
    }
  };
  const stopListening = screen.terminal.onInterrupt(() => {
    if (left.length > 0) screen.err(`Not restarted, and left alone: ${listOf(left)}`);
  });
  try {
    for (const [index, step] of steps.entries()) {
      const fallen = await findFallen(context, steps.slice(Math.max(0, index - lookedBackAt), index));
      if (fallen !== undefined) {
        follow.fail(`Unit ${nameOf(fallen)} failed after it had been restarted`);
        return leave(fallen, 'failed');
      }
      [current, left] = [step, steps.slice(index + 1)];
      const outcome = await take(step);
      if (outcome !== 'done') return leave(step, outcome);
    }
  } catch (error) {
    leave(current, 'failed');
    throw error;
  } finally {
    stopListening();
  }
}

/** The first of these that has failed: systemd counts a simple service as started before it has done anything. */
async function findFallen({ reader }: Context, steps: readonly RestartStep[]): Promise<RestartStep | undefined> {
  if (steps.length === 0) return undefined;
  const states = await reader.states([...new Set(steps.map(({ name }) => name))]);
  return steps.find(({ name, expectation: { machineID } }) => {
    const own = (states.get(name) ?? []).filter((state) => machineID === undefined || state.machineID === machineID);
    return own.some(({ systemdActiveState }) => systemdActiveState === 'failed');
  });
}

function nameOf({ name, expectation: { machineID } }: RestartStep): string {
  return machineID === undefined ? name : `${name} on ${machineIdLabel(machineID)}`;
}

function listOf(steps: readonly RestartStep[]): string {
  const more = steps.length > mostNamesTold ? ` and ${steps.length - mostNamesTold} more` : '';
  return `${steps.slice(0, mostNamesTold).map(nameOf).join(', ')}${more}`;
}
