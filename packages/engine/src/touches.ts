import type { MachineNode, UnitNode } from './index-nodes.js';
import { Probe, type ProbedIndex } from './probe.js';

/** Who is told which units a change touches. */
export type Tell = (node: UnitNode) => void;

/** Passes on which units may have to be decided about anew, or wait for another reason. */
export class Touches {
  readonly #index: ProbedIndex;
  #tell: Tell | undefined;

  constructor(index: ProbedIndex, tell: Tell) {
    this.#index = index;
    this.#tell = tell;
  }

  /** Whatever is touched in `body` is told to `tell` instead, or to nobody. */
  whileTelling(tell: Tell | undefined, body: () => void): void {
    const usual = this.#tell;
    this.#tell = tell;
    try {
      body();
    } finally {
      this.#tell = usual;
    }
  }

  /** A unit is to be decided about anew. */
  touch(node: UnitNode): void {
    if (this.#tell === undefined) return;
    node.mayFit = true;
    this.#tell(node);
  }

  touchAll(nodes: Iterable<UnitNode>): void {
    for (const node of nodes) this.touch(node);
  }

  /** `machine` has changed for a unit: one that found no machine need not look again unless it fits there now. */
  touchAbout(node: UnitNode, machine: MachineNode): void {
    if (this.#tell === undefined) return;
    if (node.isSeeking && !node.mayFit) {
      const isAtHome = node.unit?.runsOn?.machine === machine.id;
      node.mayFit = new Probe(this.#index, node, machine, { isAtHome }).fits(machine);
    }
    this.#tell(node);
  }

  /** `node` has come to `machine`, or gone from it. */
  touchConcerned(node: UnitNode, machine: MachineNode): void {
    if (this.#tell === undefined) return;
    const { globals, units } = this.#index;
    this.touchReplaced(machine);
    for (const other of units.concernedBy(node, machine)) if (other !== node) this.touchAbout(other, machine);
    if (globals.size === 0 || units.seekers.size === 0) return;
    // For a unit that a global one would give way to, the whole chain that it follows counts.
    for (const follower of units.followersOf(node))
      if (follower.isSeeking && globals.rivalsOf(follower).length > 0) this.touchAbout(follower, machine);
  }

  /** `machine` has changed for all that seek. */
  touchSeekers(machine: MachineNode): void {
    if (this.#tell === undefined) return;
    for (const node of this.#index.units.seekers) this.touchAbout(node, machine);
  }

  /** Something on `machine` has changed that may let those go which are replaced there, and could not. */
  touchReplaced({ replaced }: MachineNode): void {
    this.touchAll(replaced);
  }
}
