import type { Cluster, MachineId } from '@flotilla/cluster';
import type { UnitNode } from './index-nodes.js';

/**
 * Whether a machine is gone for good, so that its units are placed anew: its lease is over. The one place to make
 * exceptions, as for a machine that is away for a moment only.
 */
export function isLost(machine: MachineId, { away, machines, unreadable }: Cluster): boolean {
  return !machines.has(machine) && !unreadable.machines.has(machine) && !away.has(machine);
}

/** Whether a unit is placed on a machine that is lost, and stays there as it may still be up. */
export function isStuck({ name, placement }: Pick<UnitNode, 'name' | 'placement'>, cluster: Cluster): boolean {
  return placement !== undefined && cluster.stopping.has(name) && isLost(placement.machine, cluster);
}
