import { compareCreation, findMisfit, type MachineContext, type Misfit, misfits } from '@flotilla/cluster';
import type { UnitName } from '@flotilla/unit';
import type { MachineNode, UnitNode } from './index-nodes.js';
import type { IndexedUnits } from './indexed-units.js';
import { areRivals, firstByName, isOn, rivalsOn } from './relations.js';

export interface ProbeOptions {
  /** The unit counts as being on the machine: it runs there, although it is placed nowhere. @default false */
  readonly isAtHome?: boolean;
  /** Of several conflicts the one whose name comes first is told, not just any. @default false */
  readonly isExact?: boolean;
}

/** Asks of one machine after the other whether a unit fits there. */
export class Probe implements MachineContext {
  readonly #units: IndexedUnits;
  readonly #node: UnitNode;
  readonly #options: ProbeOptions;
  #machine: MachineNode;

  constructor(units: IndexedUnits, node: UnitNode, machine: MachineNode, options: ProbeOptions = {}) {
    this.#units = units;
    this.#node = node;
    this.#machine = machine;
    this.#options = options;
  }

  get load(): number {
    return this.#machine.load;
  }

  has(name: string): boolean {
    const node = this.#node;
    if (name === node.name) return node.home === this.#machine || this.#options.isAtHome === true;
    const peer = this.#units.find(name);
    if (peer === undefined || !isOn(this.#machine, peer)) return false;
    return node.home === this.#machine || !this.#wouldLose(peer, new Set([node]));
  }

  findConflict(): UnitName | undefined {
    const rivals = rivalsOn(this.#machine, this.#node);
    if (this.#options.isExact === true) return firstByName(rivals)?.name;
    for (const { name } of rivals) return name;
    return undefined;
  }

  /** Whether the unit may run on a machine. */
  fits(machine: MachineNode): boolean {
    this.#machine = machine;
    const { unit } = this.#node;
    return machine.machine !== undefined && unit !== undefined && findMisfit(unit, machine.machine, this) === undefined;
  }

  /** All that is wrong with a machine. */
  misfits(machine: MachineNode): Misfit[] {
    this.#machine = machine;
    const { unit } = this.#node;
    return machine.machine === undefined || unit === undefined ? [] : misfits(unit, machine.machine, this);
  }

  /** The first thing that is wrong with a machine. */
  findMisfit(machine: MachineNode): Misfit | undefined {
    this.#machine = machine;
    const { unit } = this.#node;
    return machine.machine === undefined || unit === undefined ? undefined : findMisfit(unit, machine.machine, this);
  }

  /** Whether the machine would lose `peer` by the unit's coming: a global unit that gives way to it, or what follows one. */
  #wouldLose(peer: UnitNode, seen: Set<UnitNode>): boolean {
    if (seen.has(peer)) return false;
    seen.add(peer);
    if (peer.home !== this.#machine) return this.#machine.globals.includes(peer) && this.#givesWay(peer);
    return peer.peers.some((name) => {
      const next = this.#units.find(name);
      return next !== undefined && this.#wouldLose(next, seen);
    });
  }

  #givesWay(global: UnitNode): boolean {
    const node = this.#node;
    if (global.unit === undefined || node.unit === undefined || !areRivals(global, node)) return false;
    return compareCreation(node.unit, global.unit) < 0;
  }
}
