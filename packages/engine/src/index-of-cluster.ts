import type { Cluster } from '@flotilla/cluster';
import { ClusterIndex } from './cluster-index.js';

/** An index of `cluster` as it is; nobody is told of changes. */
export function indexOfCluster(cluster: Cluster): ClusterIndex {
  const index = new ClusterIndex({ onTouched: () => {} });
  index.load(() => {
    index.setStrategy(cluster.strategy);
    for (const [id, machine] of cluster.machines) index.setMachine(id, machine);
    for (const id of cluster.away) index.setAway(id, true);
    for (const [name, unit] of cluster.units) index.setUnit(name, unit);
    for (const [name, placement] of cluster.placements) index.setPlacement(name, placement);
    for (const [name, machines] of cluster.leaving) index.setLeaving(name, machines);
    for (const [name, stopping] of cluster.stopping) index.setStopping(name, stopping);
    for (const name of cluster.unreadable.units) index.setUnreadableUnit(name, true);
    for (const id of cluster.unreadable.machines) index.setUnreadableMachine(id, true);
  });
  return index;
}
