import {
  awaitedPeerKey,
  globalMisfits,
  leavingKey,
  type Misfit,
  misfitKey,
  stoppingKey,
  type Unit,
  type WaitReason,
  waitReason,
} from '@flotilla/cluster';
import type { ClusterIndex } from './cluster-index.js';
import type { MachineNode, UnitNode } from './index-nodes.js';
import { isLost } from './lost-machines.js';
import { Probe } from './probe.js';
import { isMadeEarlier } from './relations.js';

/** Why units have no machine, in a cluster that does not change meanwhile. */
export class WaitReasons {
  readonly #index: ClusterIndex;
  /** By what units are alike in: thousands of instances may wait for the same thing. */
  readonly #known = new Map<string, WaitReason>();

  constructor(index: ClusterIndex) {
    this.#index = index;
  }

  /** What a unit waits for, or else what is wrong with each machine. */
  of(node: UnitNode): WaitReason {
    const { cluster, machines } = this.#index;
    const { size } = machines.directory;
    const stopping = cluster.stopping.get(node.name);
    if (stopping !== undefined) return waitReason(1, new Map([[stoppingKey(stopping), 1]]));
    const leaving = [...(node.leaving ?? [])].filter((id) => !isLost(id, cluster));
    if (leaving.length > 0) return waitReason(size, new Map(leaving.map((id) => [leavingKey(id), 1])));
    const awaited = node.peers.find((peer) => !isAnywhere(this.#index, peer));
    if (awaited !== undefined) return waitReason(size, new Map([[awaitedPeerKey(awaited), 1]]));
    const likeness = likenessOf(this.#index, node);
    const reason = this.#known.get(likeness) ?? countFirstMisfits(this.#index, node);
    this.#known.set(likeness, reason);
    return reason;
  }
}

/** What decides about a unit without a machine whether it fits on one: the same for all that ask for the same. */
export function likenessOf({ globals }: ClusterIndex, node: UnitNode): string {
  const { conflicts, matchedBy, unit } = node;
  if (unit === undefined) return '';
  const { machineId, metadata, metadataTests, machineOf } = unit.requirements;
  const globIds = [conflicts, matchedBy].map((globs) => globs.map(({ id }) => id));
  const elders = globals.rivalsOf(node).filter((global) => isMadeEarlier(global, node));
  const names = elders.map(({ name }) => name);
  return JSON.stringify([machineId, [...metadata], metadataTests, machineOf, globIds, names]);
}

/** Why no machine runs a global unit. */
export function explainIdleGlobal(index: ClusterIndex, unit: Unit): WaitReason {
  return countMisfits(index, (machine) => globalMisfitsOn(unit, machine)[0]);
}

/** All that keeps a global unit off a machine. */
export function globalMisfitsOn(unit: Unit, { machine, globals, residents }: MachineNode): Misfit[] {
  const units = (nodes: readonly UnitNode[]) => nodes.flatMap((other) => other.unit ?? []);
  const others = { running: units(globals), residents: units(residents) };
  return machine === undefined ? [] : globalMisfits(unit, machine, others);
}

function countFirstMisfits(index: ClusterIndex, node: UnitNode): WaitReason {
  let probe: Probe | undefined;
  return countMisfits(index, (machine) => {
    probe ??= new Probe(index, node, machine, { isExact: true });
    return probe.findMisfit(machine);
  });
}

/** Each machine counts once. */
function countMisfits(index: ClusterIndex, findMisfit: (machine: MachineNode) => Misfit | undefined): WaitReason {
  const counts = new Map<string, number>();
  const { directory } = index.machines;
  for (const machine of directory.inIdOrder()) {
    const misfit = findMisfit(machine);
    if (misfit === undefined) continue;
    const key = misfitKey(misfit);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return waitReason(directory.size, counts);
}

/** Whether a unit is a resident or a global of any machine. */
function isAnywhere({ units }: ClusterIndex, name: string): boolean {
  const unit = units.find(name);
  return unit !== undefined && (unit.home !== undefined || unit.copies > 0);
}
