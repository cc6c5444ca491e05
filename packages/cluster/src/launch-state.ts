import { unitNameParts } from '@flotilla/unit';
import type { LaunchState, MachineId, Unit } from './cluster-model.js';

/** Whether a unit should be on a machine, or (a global one) on all that fit: asked for, and not a template. */
export function isWanted(unit: Pick<Unit, 'name' | 'desiredState'>): boolean {
  return unit.desiredState !== 'inactive' && !unitNameParts(unit.name).isTemplate;
}

/** Where a unit is placed, and the state row that it has on that machine. */
export interface Whereabouts {
  readonly placement: MachineId | undefined;
  /** Of the machine named by `placement`; rows of other machines say nothing. */
  readonly state: { readonly isLaunched: boolean } | undefined;
}

/** Where a non-global unit is on its way from known to running; global units have no such state. */
export function currentState({ placement, state }: Whereabouts): LaunchState {
  if (placement === undefined || state === undefined) return 'inactive';
  return state.isLaunched ? 'launched' : 'loaded';
}
