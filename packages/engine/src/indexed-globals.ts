import { globalsOn, type Unit } from '@flotilla/cluster';
import type { MachineNode, UnitNode } from './index-nodes.js';
import { areRivals } from './relations.js';

const none: readonly UnitNode[] = [];

/** The wanted global units of the index. */
export class IndexedGlobals {
  readonly #nodes = new Map<Unit, UnitNode>();

  get size(): number {
    return this.#nodes.size;
  }

  has({ unit }: UnitNode): boolean {
    return unit !== undefined && this.#nodes.has(unit);
  }

  add(node: UnitNode): void {
    if (node.unit !== undefined) this.#nodes.set(node.unit, node);
  }

  delete({ unit }: UnitNode): void {
    if (unit !== undefined) this.#nodes.delete(unit);
  }

  all(): Iterable<UnitNode> {
    return this.#nodes.values();
  }

  /** Those that conflict with a unit. */
  rivalsOf(node: UnitNode): readonly UnitNode[] {
    if (this.#nodes.size === 0 || (node.conflicts.length === 0 && node.matchedBy.length === 0)) return none;
    return [...this.#nodes.values()].filter((global) => areRivals(global, node));
  }

  /** Those that run on a machine. */
  runningOn({ machine, residents }: MachineNode): readonly UnitNode[] {
    if (machine === undefined || this.#nodes.size === 0) return [];
    const rivals = residents.filter((node) => this.rivalsOf(node).length > 0).flatMap(({ unit }) => unit ?? []);
    return globalsOn(machine, [...this.#nodes.keys()], rivals).flatMap((unit) => this.#nodes.get(unit) ?? []);
  }
}
