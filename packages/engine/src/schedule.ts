import { type Cluster, isWanted, type MachineId, type WaitReason } from '@flotilla/cluster';
import type { UnitName } from '@flotilla/unit';
import { chooseMachine, hasQuietPlace } from './choose-machine.js';
import type { ClusterIndex } from './cluster-index.js';
import type { Change, MachineNode, UnitNode } from './index-nodes.js';
import { indexOfCluster } from './index-of-cluster.js';
import { justNow } from './indexed-machines.js';
import { isLost, isStuck } from './lost-machines.js';
import type { Decision, Plan, UnscheduleReason } from './plan.js';
import { Probe } from './probe.js';
import { firstByName, replacersOn } from './relations.js';
import { UnitQueue } from './unit-queue.js';
import { explainIdleGlobal, likenessOf, WaitReasons } from './wait.js';
import { remainingWithout } from './without.js';

/** A unit that was placed in a pass and is driven away again in that pass waits after so many times. */
const mostPlacings = 4;

/**
 * Decides which machine runs each non-global unit.
 *
 * Keeps a unit where it is while it still fits; otherwise moves it to the best machine that fits, by its wishes and the
 * strategy, but a unit that says where it runs stays there. Units are taken in name order, and those that wait for
 * others again after those, so a plan depends only on its input. A unit that has to leave a live machine is placed
 * anew only when it has left.
 *
 * @param cluster Read at one revision; not modified.
 * @param among The names to decide about; what is decided about them may concern others. @default all
 * @see coreos/fleet engine/reconciler.go, engine/scheduler.go (least loaded)
 */
export function schedule(cluster: Cluster, among?: Iterable<UnitName>): Plan {
  return new Pass(indexOfCluster(cluster), among && new Set(among)).run();
}

/**
 * The same from an index, which is left as it was.
 *
 * @param among What the index has touched since the last plan. A set is used as it is, and what is looked at besides is
 *   added to it. @default all
 */
export function decide(index: ClusterIndex, among?: Iterable<UnitName>): Plan {
  const pass = new Pass(index, among instanceof Set ? among : among && new Set(among));
  try {
    return pass.run();
  } finally {
    pass.end({ undo: true });
  }
}

/** The cluster once `decisions` are carried out, except that units which leave a live machine are still leaving it. */
export function applyDecisions(cluster: Cluster, decisions: readonly Decision[]): Cluster {
  const placements = new Map(cluster.placements);
  const leaving = new Map(cluster.leaving);
  for (const decision of decisions) {
    const { unit, machine } = decision;
    if (decision.kind === 'schedule') placements.set(unit, { machine, since: justNow });
    else {
      placements.delete(unit);
      if (!isLost(machine, cluster)) leaving.set(unit, new Set([...(leaving.get(unit) ?? []), machine]));
    }
  }
  return { ...cluster, placements, leaving };
}

class Pass {
  readonly #index: ClusterIndex;
  /** Placed units to look at. */
  readonly #placed: UnitQueue;
  /** Units without a machine to look at in this round, and in the next one. */
  #waiting: UnitQueue;
  #again = new Set<UnitNode>();
  /** The unit of this round that was looked at last. */
  #cursor = '';
  readonly #changed: UnitNode[] = [];
  /** `undefined`: all. */
  readonly #lookedAt: Set<UnitName> | undefined;
  readonly #blocked = new Set<UnitNode>();
  readonly #idle = new Set<UnitNode>();
  readonly #globals = new Set<UnitNode>();
  /** What units ask for that no machine had, and at which version of the index. */
  readonly #unplaceable = new Map<string, number>();

  constructor(index: ClusterIndex, among: Set<UnitName> | undefined) {
    this.#index = index;
    this.#lookedAt = among;
    const placed: UnitNode[] = [];
    const waiting: UnitNode[] = [];
    for (const node of among === undefined ? index.units.all() : index.units.named(among)) {
      if (node.placement !== undefined) placed.push(node);
      else waiting.push(node);
    }
    this.#placed = new UnitQueue(placed);
    this.#waiting = new UnitQueue(waiting);
  }

  run(): Plan {
    this.#index.touches.whileTelling(
      (node) => this.#touch(node),
      () => this.#settle(),
    );
    const lookedAt = () => this.#lookedAt ?? new Set(Array.from(this.#index.units.all(), ({ name }) => name));
    return {
      decisions: this.#decisions(),
      blocked: this.#reasons(),
      idleGlobals: this.#idleGlobals(),
      get lookedAt() {
        return lookedAt();
      },
    };
  }

  /** Ends the pass; `undo` puts the index back to how it was. */
  end({ undo }: { readonly undo: boolean }): void {
    const index = this.#index;
    index.touches.whileTelling(undefined, () => {
      for (const node of this.#changed) {
        if (undo && node.change !== undefined) {
          index.move(node, node.change.placement);
          index.moveLeaving(node, node.change.leaving);
        }
        node.change = undefined;
      }
      // The plan may not come true: one that runs by it alone is still of interest.
      for (const node of this.#globals) if (undo && node.copies === 0) this.#index.units.setSeeking(node, true);
    });
  }

  #settle(): void {
    this.#checkPlaced();
    for (;;) {
      for (let node = this.#waiting.take(); node !== undefined; node = this.#waiting.take()) {
        this.#cursor = node.name;
        this.#place(node);
        this.#checkPlaced();
      }
      if (this.#again.size === 0) return;
      this.#waiting = new UnitQueue([...this.#again]);
      this.#again = new Set();
      this.#cursor = '';
    }
  }

  #touch(node: UnitNode): void {
    this.#lookedAt?.add(node.name);
    if (node.placement !== undefined) this.#placed.add(node);
    else if (node.name > this.#cursor) this.#waiting.add(node);
    else this.#again.add(node);
  }

  #checkPlaced(): void {
    for (let node = this.#placed.take(); node !== undefined; node = this.#placed.take()) {
      const why = this.#findUnscheduleReason(node);
      if (why !== undefined) this.#takeOff(node, why);
    }
  }

  /** A global unit that no machine runs is of interest again as soon as anything changes. */
  #noteGlobal(node: UnitNode): void {
    const isIdle = node.copies === 0;
    this.#globals.add(node);
    this.#index.units.setSeeking(node, isIdle);
    if (isIdle) this.#idle.add(node);
  }

  #place(node: UnitNode): void {
    if (isWantedGlobal(node)) this.#noteGlobal(node);
    else if (!node.needsMachine) this.#index.units.setSeeking(node, false);
    if (!node.needsMachine || node.placement !== undefined || node.isUnreadable || node.isHeld) return;
    if (node.isSeeking && !node.mayFit) {
      this.#blocked.add(node);
      return;
    }
    const mayBePlaced = !this.#mustLeave(node) && (node.change?.placings ?? 0) < mostPlacings;
    const machine = mayBePlaced ? this.#choose(node) : undefined;
    this.#index.units.setSeeking(node, machine === undefined);
    if (machine === undefined) {
      this.#blocked.add(node);
      return;
    }
    this.#changeOf(node).placings++;
    this.#index.move(node, machine.newPlacement);
    // If it could only be placed where it is replaced, it waits for a better place.
    if (node.matchedBy.length > 0) this.#placed.add(node);
  }

  /** Of units that ask for the same, only the first looks at all machines to find that none fits. */
  #choose(node: UnitNode): MachineNode | undefined {
    const likeness = node.asksNothing && node.matchedBy.length === 0 ? '' : likenessOf(this.#index, node);
    if (node.unit?.runsOn === undefined && this.#unplaceable.get(likeness) === this.#index.version) return undefined;
    const machine = chooseMachine(this.#index, node);
    if (machine === undefined) this.#unplaceable.set(likeness, this.#index.version);
    return machine;
  }

  #takeOff(node: UnitNode, why: UnscheduleReason): void {
    const { placement, leaving = new Set<MachineId>() } = node;
    const change = this.#changeOf(node);
    const isFromBefore = placement === change.placement;
    this.#index.move(node, undefined);
    this.#touch(node);
    if (placement === undefined || !isFromBefore) return;
    change.why = why;
    if (!isLost(placement.machine, this.#index.cluster))
      this.#index.moveLeaving(node, new Set([...leaving, placement.machine]));
  }

  #changeOf(node: UnitNode): Change {
    if (node.change === undefined) {
      node.change = { placement: node.placement, leaving: node.leaving, why: undefined, placings: 0 };
      this.#changed.push(node);
    }
    return node.change;
  }

  #findUnscheduleReason(node: UnitNode): UnscheduleReason | undefined {
    const { unit, placement } = node;
    if (node.isHeld) return undefined;
    this.#index.units.setSeeking(node, false);
    if (node.isUnreadable || placement === undefined) return undefined;
    if (unit === undefined) return { kind: 'destroyed' };
    if (unit.desiredState === 'inactive') return { kind: 'inactive' };
    if (unit.requirements.isGlobal) return { kind: 'global' };
    if (!node.needsMachine) return { kind: 'template' };
    const machine = this.#index.machines.of(placement.machine);
    if (machine.machine === undefined) {
      if (!isLost(placement.machine, this.#index.cluster)) return undefined;
      if (!this.#index.cluster.stopping.has(node.name)) return { kind: 'machine-lost' };
      this.#blocked.add(node);
      return undefined;
    }
    const found = new Probe(this.#index, node, machine, { isExact: true }).misfits(machine);
    return found.length > 0 ? { kind: 'misfit', misfits: found } : this.#findReplacement(node, machine);
  }

  /** A unit that is replaced goes if there is a place for it; if not, it stays until there is. */
  #findReplacement(node: UnitNode, home: MachineNode): UnscheduleReason | undefined {
    const replacer = firstByName(replacersOn(home, node));
    if (replacer === undefined) return undefined;
    if (hasQuietPlace(this.#index, node, home)) {
      const staying = remainingWithout(this.#index, node, home);
      const lasting = firstByName([...replacersOn(home, node)].filter((other) => staying.has(other)));
      if (lasting !== undefined) return { kind: 'replaced', by: lasting.name };
    }
    this.#index.units.setSeeking(node, true);
    return undefined;
  }

  /** Whether a unit has yet to leave a machine; a lost one is waited for only as long as it may take to stop the unit. */
  #mustLeave({ name, leaving }: UnitNode): boolean {
    if (this.#index.cluster.stopping.has(name)) return true;
    if (leaving === undefined) return false;
    for (const id of leaving) if (!isLost(id, this.#index.cluster)) return true;
    return false;
  }

  #decisions(): Decision[] {
    const unscheduled: Decision[] = [];
    const scheduled: Decision[] = [];
    for (const { name: unit, change, placement } of this.#changed.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const before = change?.placement;
      if (before !== undefined && change?.why !== undefined)
        unscheduled.push({ kind: 'unschedule', unit, machine: before.machine, why: change.why });
      if (placement !== undefined && placement !== before)
        scheduled.push({ kind: 'schedule', unit, machine: placement.machine });
    }
    return [...unscheduled, ...scheduled];
  }

  #idleGlobals(): Map<UnitName, WaitReason> {
    const reasons = new Map<UnitName, WaitReason>();
    const idle = [...this.#idle].filter(({ copies }) => copies === 0);
    for (const { name, unit } of idle.sort((a, b) => (a.name < b.name ? -1 : 1)))
      if (unit !== undefined) reasons.set(name, explainIdleGlobal(this.#index, unit));
    return reasons;
  }

  #reasons(): Map<UnitName, WaitReason> {
    const reasons = new Map<UnitName, WaitReason>();
    const all = new WaitReasons(this.#index);
    const { cluster } = this.#index;
    const waiting = [...this.#blocked].filter((node) => node.placement === undefined || isStuck(node, cluster));
    for (const node of waiting.sort((a, b) => (a.name < b.name ? -1 : 1))) reasons.set(node.name, all.of(node));
    return reasons;
  }
}

function isWantedGlobal({ isUnreadable, unit }: UnitNode): boolean {
  return unit?.requirements.isGlobal === true && isWanted(unit) && !isUnreadable;
}
