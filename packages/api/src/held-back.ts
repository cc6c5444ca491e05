import { type MachineId, shortMachineId } from '@flotilla/cluster';
import { assertNever } from '@flotilla/errors';
import type { LossRecord } from '@flotilla/registry';

/** Why a unit is not placed anew although its machine is gone, in English. */
export function explainHeldBack(machine: MachineId, state: Exclude<LossRecord['state'], 'lost'>): string {
  const gone = `its machine ${shortMachineId(machine)} is gone`;
  switch (state) {
    case 'grace':
      return `${gone}, and may be back in a moment`;
    case 'brake':
      return `${gone}, with too many others at once: nothing moves until enough are back, or are released`;
    case 'rate':
      return `${gone}, and others are lost before it: its units are next`;
    default:
      return assertNever(state);
  }
}
