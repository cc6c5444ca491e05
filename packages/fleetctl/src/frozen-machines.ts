import type { MachineEntity } from '@flotilla/schema';
import { findMachines } from './machine-label.js';

/** A machine that is known to be frozen. */
export interface FrozenMachine extends MachineEntity {
  readonly frozen: string;
}

/** The machines that a command is about, or what is wrong with how they were named. */
export type FrozenSelection =
  | { readonly kind: 'chosen'; readonly machines: readonly FrozenMachine[] }
  | { readonly kind: 'refused'; readonly problems: readonly string[] };

/**
 * The frozen machines that `ids` name, each once; all, if there are no IDs. An ID may be the beginning of one, and may end
 * in the dots of list-machines.
 */
export function selectFrozen(machines: readonly MachineEntity[], ids: readonly string[]): FrozenSelection {
  if (ids.length === 0) return { kind: 'chosen', machines: machines.filter(isFrozen) };
  const chosen = new Map<string, FrozenMachine>();
  const problems: string[] = [];
  for (const id of ids) {
    const found = findMachines(machines, id);
    const [machine] = found;
    if (machine === undefined) problems.push(`no machine has an ID that begins with ${id}`);
    else if (found.length > 1) problems.push(`${found.length} machines have an ID that begins with ${id}`);
    else if (isFrozen(machine)) chosen.set(machine.id, machine);
    else problems.push(`machine ${machine.id} is not frozen`);
  }
  return problems.length > 0 ? { kind: 'refused', problems } : { kind: 'chosen', machines: [...chosen.values()] };
}

function isFrozen(machine: MachineEntity): machine is FrozenMachine {
  return machine.frozen !== undefined;
}
