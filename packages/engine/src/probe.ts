import { findMisfit, type MachineContext, type Misfit, misfits } from '@flotilla/cluster';
import type { UnitName } from '@flotilla/unit';
import type { MachineNode, UnitNode } from './index-nodes.js';
import type { IndexedGlobals } from './indexed-globals.js';
import type { IndexedUnits } from './indexed-units.js';
import { findAnyRival, findFirstRival, isMadeEarlier, isOn } from './relations.js';

/** What a probe asks of the index. */
export interface ProbedIndex {
  readonly units: IndexedUnits;
  readonly globals: IndexedGlobals;
}

export interface ProbeOptions {
  /** The unit counts as being on the machine: it runs there, although it is placed nowhere. @default false */
  readonly isAtHome?: boolean;
  /** Of several conflicts the one whose name comes first is told, not just any. @default false */
  readonly isExact?: boolean;
}

/** Asks of one machine after the other whether a unit fits there. */
export class Probe implements MachineContext {
  readonly #index: ProbedIndex;
  readonly #node: UnitNode;
  readonly #options: ProbeOptions;
  #machine: MachineNode;
  /** The global units that conflict with the unit, once they were asked for. */
  #globalRivals: readonly UnitNode[] | undefined;

  constructor(index: ProbedIndex, node: UnitNode, machine: MachineNode, options: ProbeOptions = {}) {
    this.#index = index;
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
    const peer = this.#index.units.find(name);
    if (peer === undefined || !isOn(this.#machine, peer)) return false;
    return node.home === this.#machine || !this.#wouldLose(peer);
  }

  findConflict(): UnitName | undefined {
    const node = this.#node;
    if (node.conflicts.length === 0 && node.matchedBy.length === 0) return undefined;
    const isExact = this.#options.isExact === true || node.home === this.#machine;
    const find = isExact ? findFirstRival : findAnyRival;
    return find(this.#machine, node, this.#rivals())?.name;
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
  #wouldLose(peer: UnitNode): boolean {
    const yielding = this.#rivals().filter((global) => isMadeEarlier(this.#node, global));
    if (yielding.length === 0) return false;
    const chain = new Set([peer]);
    for (const each of chain) {
      if (each.home !== this.#machine) {
        if (yielding.includes(each) && this.#machine.globals.includes(each)) return true;
        continue;
      }
      for (const next of this.#index.units.named(each.peers)) if (next !== this.#node) chain.add(next);
    }
    return false;
  }

  #rivals(): readonly UnitNode[] {
    this.#globalRivals ??= this.#index.globals.rivalsOf(this.#node);
    return this.#globalRivals;
  }
}
