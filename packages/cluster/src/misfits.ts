import type { UnitName } from '@flotilla/unit';
import { shortMachineId } from './machine-id.js';
import type { Machine, Unit } from './types.js';

/** Why a unit may not run on a machine. */
export type Misfit =
  | { readonly kind: 'not-required-machine'; readonly required: string }
  | { readonly kind: 'missing-metadata'; readonly key: string; readonly accepted: readonly string[] }
  | { readonly kind: 'machine-closed' };

/** What the rules look at besides the unit and the machine: how things stand on that machine. */
export interface MachineContext {
  /** The units that belong to the machine, the unit in question among them if it does. */
  readonly units: { has(name: UnitName): boolean };
}

type Rule = (unit: Unit, machine: Machine, context: MachineContext) => Misfit | undefined;

/** In the order in which they are told: the first one is the reason that people see. */
const rules: readonly Rule[] = [requiredMachine, requiredMetadata, openMachine];

/**
 * Why `unit` may not run on `machine`: one misfit per broken rule, in the order of the rules. None: it fits.
 *
 * @see coreos/fleet agent/state.go (AbleToRun)
 */
export function misfits(unit: Unit, machine: Machine, context: MachineContext): Misfit[] {
  const found: Misfit[] = [];
  for (const rule of rules) {
    const misfit = rule(unit, machine, context);
    if (misfit !== undefined) found.push(misfit);
  }
  return found;
}

/** The first of {@link misfits}, without looking for the others. */
export function findMisfit(unit: Unit, machine: Machine, context: MachineContext): Misfit | undefined {
  for (const rule of rules) {
    const misfit = rule(unit, machine, context);
    if (misfit !== undefined) return misfit;
  }
  return undefined;
}

/** Whether a machine runs its copy of a global unit. Of all requirements only the metadata counts. */
export function fitsGlobal(unit: Unit, machine: Machine): boolean {
  return unit.requirements.isGlobal && requiredMetadata(unit, machine) === undefined;
}

function requiredMachine({ requirements }: Unit, { id }: Machine): Misfit | undefined {
  const required = requirements.machineId;
  if (required === undefined || required === id || required === shortMachineId(id)) return undefined;
  return { kind: 'not-required-machine', required };
}

function requiredMetadata({ requirements }: Unit, { metadata }: Machine): Misfit | undefined {
  for (const [key, accepted] of requirements.metadata) {
    const value = metadata.get(key);
    if (value === undefined || !accepted.includes(value)) return { kind: 'missing-metadata', key, accepted };
  }
  return undefined;
}

/** A closed machine takes nothing new, and keeps what it has. */
function openMachine(unit: Unit, machine: Machine, { units }: MachineContext): Misfit | undefined {
  return machine.isClosed && !units.has(unit.name) ? { kind: 'machine-closed' } : undefined;
}
