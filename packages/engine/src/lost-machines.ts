import type { Cluster, MachineId } from '@flotilla/cluster';

/**
 * Whether a machine is gone for good, so that its units are placed anew: its lease is over. The one place to make
 * exceptions, as for a machine that is away for a moment only.
 */
export function isLost(machine: MachineId, { away, machines, unreadable }: Cluster): boolean {
  return !machines.has(machine) && !unreadable.machines.has(machine) && !away.has(machine);
}
