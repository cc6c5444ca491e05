import type { UnitStateEntity } from '@flotilla/schema';
import type { Context } from './context.js';
import { exitCodes } from './exit-codes.js';
import {
  isWaiting,
  placelessText,
  type StatusTextOptions,
  type Subject,
  stateText,
  troubleText,
} from './status-text.js';
import { isGlobalUnit } from './unit-content.js';
import { isRunning } from './verdict.js';

/**
 * Shows units one after the other, each on its machines: on this one by systemctl.
 *
 * @param label What a machine is called.
 * @returns An exit code for each thing that was shown.
 */
export async function showUnits(
  context: Context,
  units: readonly { readonly name: string; readonly subject: Subject | undefined }[],
  label: (id: string) => string,
): Promise<number[]> {
  const { screen, clock, host } = context;
  const hostId = await host.findMachineId();
  const options = { label, nowMs: clock.now(), hostId };
  const codes: number[] = [];
  let isFirst = true;
  for (const { name, subject } of units) {
    if (subject === undefined) {
      screen.err(screen.palette.bad(`Unit ${name} does not exist.`));
      codes.push(exitCodes.failed);
      continue;
    }
    const { unit, states } = subject;
    if (unit.desiredState === 'inactive' && states.length === 0) {
      screen.err(screen.palette.bad(`Unit ${name} does not appear to be loaded.`));
      codes.push(exitCodes.failed);
      continue;
    }
    if (isWaiting(subject)) codes.push(exitCodes.pending);
    for (const state of states.length === 0 ? [undefined] : states) {
      if (!isFirst) screen.out('');
      isFirst = false;
      codes.push(await showState(context, { subject, state }, options));
    }
  }
  return codes;
}

interface Shown {
  readonly subject: Subject;
  /** `undefined` if no machine has it. */
  readonly state: UnitStateEntity | undefined;
}

interface ShowOptions extends StatusTextOptions {
  /** This machine's. */
  readonly hostId: string | undefined;
}

async function showState({ screen, host }: Context, { subject, state }: Shown, options: ShowOptions): Promise<number> {
  if (state === undefined) {
    screen.write(placelessText(subject, options));
    return exitCodes.notActive;
  }
  if (state.machineID !== options.hostId) {
    screen.write(stateText(subject, state, options));
    return isRunning(state) ? exitCodes.done : exitCodes.notActive;
  }
  const { unit } = subject;
  // systemctl does not say where it runs.
  if (isGlobalUnit(unit)) screen.out(`On ${options.label(state.machineID)}, this host:`);
  screen.write(troubleText(subject, state, options));
  const status = await host.systemctl(['status', '-l', '--', unit.name]);
  if (!(status instanceof Error)) return status;
  screen.err(screen.palette.bad(`Error running local command: ${status.message}`));
  return exitCodes.notRun;
}
