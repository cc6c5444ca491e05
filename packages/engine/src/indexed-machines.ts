import type { Machine, MachineId } from '@flotilla/cluster';
import type { MachineNode, UnitNode } from './index-nodes.js';
import { MachineDirectory } from './machine-directory.js';

/** Later than anything that is in the store. */
export const justNow = Number.MAX_SAFE_INTEGER;

/** The machines of the index, with those that have gone. */
export class IndexedMachines {
  /** Those that may be chosen. */
  readonly directory = new MachineDirectory();
  readonly #nodes = new Map<MachineId, MachineNode>();
  all(): Iterable<MachineNode> {
    return this.#nodes.values();
  }

  /** The node of a machine; made if there is none. */
  of(id: MachineId): MachineNode {
    const known = this.#nodes.get(id);
    if (known !== undefined) return known;
    const node: MachineNode = {
      id,
      machine: undefined,
      residents: [],
      replaced: new Set(),
      leavers: new Set(),
      globals: [],
      load: 0,
      newPlacement: { machine: id, since: justNow },
    };
    this.#nodes.set(id, node);
    return node;
  }

  /** Drops the node of a machine that is gone and that no unit belongs to. */
  forgetIfEmpty(node: MachineNode): void {
    const isEmpty = node.machine === undefined && node.residents.length === 0 && node.leavers.size === 0;
    if (isEmpty) this.#nodes.delete(node.id);
  }

  /** Replaces what is known of a machine; `undefined`: it may not be chosen. */
  setMachine(node: MachineNode, machine: Machine | undefined): void {
    if (node.machine !== undefined) this.directory.remove(node);
    node.machine = machine;
    if (machine !== undefined) this.directory.add(node);
  }

  addResident(node: MachineNode, unit: UnitNode): void {
    unit.home = node;
    unit.seat = node.residents.push(unit) - 1;
    if (unit.isSeeking) node.replaced.add(unit);
  }

  removeResident(node: MachineNode, unit: UnitNode): void {
    unit.home = undefined;
    node.replaced.delete(unit);
    const last = node.residents.pop();
    if (last === undefined || last === unit) return;
    node.residents[unit.seat] = last;
    last.seat = unit.seat;
  }

  /** Notes how many units count on a machine. Whether it has become full by that, or is so no more. */
  setLoad(node: MachineNode, load: number): boolean {
    if (load === node.load) return false;
    const max = node.machine?.maxUnits;
    const opensOrCloses = max !== undefined && node.load >= max !== load >= max;
    if (node.machine === undefined) node.load = load;
    else this.directory.setLoad(node, load);
    return opensOrCloses;
  }
}
