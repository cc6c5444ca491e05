import type { ClusterIndex } from './cluster-index.js';
import type { MachineNode, UnitNode } from './index-nodes.js';
import { Probe } from './probe.js';
import { firstByName } from './relations.js';

/**
 * The residents of a machine that would stay there if `unit` went: those that follow it would not, nor those that a
 * global unit keeps off which it has kept off itself.
 */
export function remainingWithout(index: ClusterIndex, unit: UnitNode, machine: MachineNode): ReadonlySet<UnitNode> {
  const gone = [{ node: unit, placement: unit.placement }];
  const remaining = new Set<UnitNode>();
  index.touches.whileTelling(undefined, () => {
    index.move(unit, undefined);
    for (let leaver = findLeaver(index, machine); leaver !== undefined; leaver = findLeaver(index, machine)) {
      gone.push({ node: leaver, placement: leaver.placement });
      index.move(leaver, undefined);
    }
    for (const node of machine.residents) remaining.add(node);
    for (const { node, placement } of gone.reverse()) index.move(node, placement);
  });
  return remaining;
}

function findLeaver(index: ClusterIndex, machine: MachineNode): UnitNode | undefined {
  return firstByName(
    machine.residents.filter((node) => !node.isUnreadable && !new Probe(index, node, machine).fits(machine)),
  );
}
