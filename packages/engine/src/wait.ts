import { awaitedPeerKey, leavingKey, misfitKey, type WaitReason, waitReason } from '@flotilla/cluster';
import type { ClusterIndex } from './cluster-index.js';
import type { UnitNode } from './index-nodes.js';
import { isLost } from './lost-machines.js';
import { Probe } from './probe.js';

/** Why a unit has no machine: what it waits for, or else what is wrong with each machine. */
export function explainWait(index: ClusterIndex, node: UnitNode): WaitReason {
  const { cluster } = index;
  const { directory } = index.machines;
  const leaving = [...(node.leaving ?? [])].filter((id) => !isLost(id, cluster));
  if (leaving.length > 0) return waitReason(directory.size, new Map(leaving.map((id) => [leavingKey(id), 1])));
  const awaited = node.peers.find((peer) => !isAnywhere(index, peer));
  if (awaited !== undefined) return waitReason(directory.size, new Map([[awaitedPeerKey(awaited), 1]]));
  const counts = new Map<string, number>();
  let probe: Probe | undefined;
  for (const machine of directory.inIdOrder()) {
    probe ??= new Probe(index.units, node, machine, { isExact: true });
    const misfit = probe.findMisfit(machine);
    if (misfit === undefined) continue;
    const key = misfitKey(misfit);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return waitReason(directory.size, counts);
}

/** Whether a unit is a resident or a global of any machine. */
function isAnywhere({ machines: { directory }, units }: ClusterIndex, name: string): boolean {
  const unit = units.find(name);
  if (unit === undefined) return false;
  return unit.home !== undefined || directory.inIdOrder().some(({ globals }) => globals.includes(unit));
}
