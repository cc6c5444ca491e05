import { explainMisfit } from '@flotilla/cluster';
import { assertNever } from '@flotilla/errors';
import type { UnscheduleReason } from './plan.js';

/** Why a unit was taken off its machine, in English. */
export function explainUnschedule(why: UnscheduleReason): string {
  switch (why.kind) {
    case 'destroyed':
      return 'the unit was destroyed';
    case 'inactive':
      return 'desired state is inactive';
    case 'template':
      return 'a template runs nowhere';
    case 'global':
      return 'the unit has become global';
    case 'machine-lost':
      return 'the machine went away';
    case 'misfit':
      return `the machine ${why.misfits.map(explainMisfit).join(' and ')}`;
    case 'replaced':
      return `${why.by} replaces it there`;
    default:
      return assertNever(why);
  }
}
