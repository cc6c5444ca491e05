import {
  type Cluster,
  isWanted,
  type Machine,
  type MachineContext,
  type MachineId,
  type Placement,
  type StoppingUnit,
  type Unit,
} from '@flotilla/cluster';
import type { Strategy, UnitName } from '@flotilla/unit';
import type { MachineNode, UnitNode } from './index-nodes.js';
import { IndexedGlobals } from './indexed-globals.js';
import { IndexedMachines } from './indexed-machines.js';
import { IndexedUnits } from './indexed-units.js';
import { Probe } from './probe.js';
import { setMember } from './sets-by-key.js';
import { Touches } from './touches.js';

/**
 * The cluster, and who in it has to do with whom, kept up to date change by change: the cost of a change follows what it
 * concerns. Each change tells, through `onTouched`, every unit about which something else may be decided now, or whose
 * reason to wait may read otherwise.
 */
export class ClusterIndex {
  readonly #units = new Map<UnitName, Unit>();
  readonly #placements = new Map<UnitName, Placement>();
  readonly #leaving = new Map<UnitName, ReadonlySet<MachineId>>();
  readonly #machines = new Map<MachineId, Machine>();
  readonly #away = new Set<MachineId>();
  readonly #stopping = new Map<UnitName, StoppingUnit>();
  readonly #unreadable = { units: new Set<UnitName>(), machines: new Set<MachineId>() };
  #strategy: Strategy = 'spread';
  readonly globals = new IndexedGlobals();
  #isLoading = false;
  #version = 0;
  /** As it is now; it changes with the index. */
  readonly cluster: Cluster;
  readonly units = new IndexedUnits();
  readonly machines = new IndexedMachines();
  readonly touches: Touches;

  constructor({ onTouched }: { readonly onTouched: (name: UnitName) => void }) {
    this.touches = new Touches(this, ({ name }) => onTouched(name));
    const strategy = () => this.#strategy;
    this.cluster = {
      units: this.#units,
      placements: this.#placements,
      leaving: this.#leaving,
      machines: this.#machines,
      away: this.#away,
      stopping: this.#stopping,
      unreadable: this.#unreadable,
      get strategy() {
        return strategy();
      },
    };
  }

  /** Takes in everything at once, in any order, and tells nobody. The index must be empty. */
  load(fill: () => void): void {
    this.#isLoading = true;
    fill();
    this.#isLoading = false;
    this.touches.whileTelling(undefined, () => this.#build());
  }

  setUnit(name: UnitName, unit: Unit | undefined): void {
    setOrDelete(this.#units, name, unit);
    if (this.#isLoading) return;
    const node = this.units.of(name);
    this.#relate(node, () => this.units.setUnit(node, unit));
    this.units.forgetIfEmpty(node);
  }

  setPlacement(name: UnitName, placement: Placement | undefined): void {
    setOrDelete(this.#placements, name, placement);
    if (this.#isLoading) return;
    const node = this.units.of(name);
    this.move(node, placement);
    this.#touchNamed(name);
  }

  /** A number that changes with everything that may change what fits where. */
  get version(): number {
    return this.#version;
  }

  /** Has a unit where it would be, for a while: {@link cluster} does not show it, and the unit itself is not told. */
  move(node: UnitNode, placement: Placement | undefined): void {
    this.#leave(node);
    node.placement = placement;
    this.#enter(node);
  }

  /** Where a unit is told to leave, and has not answered yet. */
  setLeaving(name: UnitName, machines: ReadonlySet<MachineId> | undefined): void {
    const now = machines?.size === 0 ? undefined : machines;
    setOrDelete(this.#leaving, name, now);
    if (this.#isLoading) return;
    const node = this.units.of(name);
    this.moveLeaving(node, now);
    this.#touchNamed(name);
  }

  /** As {@link move}, for the machines that a unit is leaving. */
  moveLeaving(node: UnitNode, machines: ReadonlySet<MachineId> | undefined): void {
    if (node.leaving === machines) return;
    const concerned = [...(node.leaving ?? []), ...(machines ?? [])];
    for (const id of node.leaving ?? []) this.machines.of(id).leavers.delete(node);
    for (const id of machines ?? []) this.machines.of(id).leavers.add(node);
    node.leaving = machines;
    this.#version++;
    this.#touchKeptOff(node, concerned);
  }

  setUnreadableUnit(name: UnitName, isUnreadable: boolean): void {
    setMember(this.#unreadable.units, name, isUnreadable);
    if (this.#isLoading) return;
    const node = this.units.of(name);
    this.#relate(node, () => {
      node.isUnreadable = isUnreadable;
    });
    this.units.forgetIfEmpty(node);
  }

  setMachine(id: MachineId, machine: Machine | undefined): void {
    setOrDelete(this.#machines, id, machine);
    if (!this.#isLoading) this.#refreshMachine(id);
  }

  setUnreadableMachine(id: MachineId, isUnreadable: boolean): void {
    setMember(this.#unreadable.machines, id, isUnreadable);
    if (!this.#isLoading) this.#refreshMachine(id);
  }

  setAway(id: MachineId, isAway: boolean): void {
    if (this.#away.has(id) === isAway) return;
    setMember(this.#away, id, isAway);
    if (!this.#isLoading) this.#refreshMachine(id);
  }

  /** Whether a unit may still be up on a machine that is gone. */
  setStopping(name: UnitName, stopping: StoppingUnit | undefined): void {
    setOrDelete(this.#stopping, name, stopping);
    if (!this.#isLoading) this.#touchNamed(name);
  }

  setStrategy(strategy: Strategy): void {
    this.#strategy = strategy;
  }

  /** Has nothing decided about a unit, or lets it be decided about again. */
  hold(name: UnitName, isHeld: boolean): void {
    const node = this.units.find(name);
    if (node !== undefined) node.isHeld = isHeld;
  }

  /**
   * Touches units, and all that may depend on where they are: what was decided about them did not come true. What they
   * ask for by now may not tell for whom that meant to wait, so all that wait look again.
   */
  touchRelatives(names: ReadonlySet<UnitName>): void {
    if (names.size === 0) return;
    for (const node of this.units.named(names)) this.touches.touchAll([node, ...this.units.relativesOf(node)]);
    this.touches.touchAll(this.units.seekers);
    this.touches.touchAll(this.globals.all());
    for (const machine of this.machines.all()) this.touches.touchReplaced(machine);
  }

  /** How things stand on a machine, for the rules, when they are asked about `unit`. */
  contextOf(unit: UnitName, machine: MachineId): MachineContext {
    return new Probe(this, this.units.of(unit), this.machines.of(machine), { isExact: true });
  }

  #touchNamed(name: UnitName): void {
    const node = this.units.of(name);
    this.touches.touch(node);
    this.units.forgetIfEmpty(node);
  }

  /** Changes something about a unit, with all that depends on where it is. */
  #relate(node: UnitNode, change: () => void): void {
    const wasGlobal = this.globals.has(node);
    this.#leave(node);
    // Whether they fit, only what comes of the change can tell.
    if (node.leaving !== undefined) this.touches.touchAll(this.units.seekingRivals(node));
    if (wasGlobal) this.#setGlobal(node, false);
    change();
    const { unit } = node;
    if (unit?.requirements.isGlobal === true && isWanted(unit)) this.#setGlobal(node, true);
    this.#enter(node);
    this.#touchKeptOff(node, node.leaving ?? []);
    this.touches.touch(node);
  }

  /** Tells those that a unit keeps off the machines that it is leaving. */
  #touchKeptOff(node: UnitNode, machines: Iterable<MachineId>): void {
    for (const id of machines) {
      for (const other of this.units.seekingRivals(node)) this.touches.touchAbout(other, this.machines.of(id));
    }
  }

  /** A unit that belongs to a machine takes part in what goes on there. */
  #enter(node: UnitNode): void {
    const { placement, isUnreadable, needsMachine } = node;
    if (placement === undefined || !(isUnreadable || needsMachine)) return;
    const machine = this.machines.of(placement.machine);
    this.#version++;
    this.machines.addResident(machine, node);
    this.units.noteResident(node, machine);
    this.#setLoad(machine, machine.load + 1);
    this.#touchAround(node, machine);
  }

  #leave(node: UnitNode): void {
    const machine = node.home;
    if (machine === undefined) return;
    this.#version++;
    this.machines.removeResident(machine, node);
    this.units.noteGone(node, machine);
    this.#setLoad(machine, machine.load - 1);
    this.#touchAround(node, machine);
  }

  #touchAround(node: UnitNode, machine: MachineNode): void {
    if (!this.units.isOfConcern(node)) return;
    if (this.globals.rivalsOf(node).length > 0) this.#refreshGlobals(machine);
    this.touches.touchConcerned(node, machine);
  }

  #setGlobal(node: UnitNode, isGlobal: boolean): void {
    this.globals[isGlobal ? 'add' : 'delete'](node);
    for (const machine of this.machines.all()) {
      this.#refreshGlobals(machine);
      this.touches.touchReplaced(machine);
    }
  }

  /** Which global units run on a machine. */
  #refreshGlobals(node: MachineNode): void {
    const before = node.globals;
    if (this.globals.size === 0 && before.length === 0) return;
    node.globals = this.globals.runningOn(node);
    this.#setLoad(node, node.load + node.globals.length - before.length);
    for (const global of [...before, ...node.globals]) {
      if (before.includes(global) && node.globals.includes(global)) continue;
      const wasIdle = global.copies === 0;
      global.copies += node.globals.includes(global) ? 1 : -1;
      if (wasIdle || global.copies === 0) this.touches.touch(global);
      this.touches.touchConcerned(global, node);
    }
  }

  #setLoad(node: MachineNode, load: number): void {
    if (this.machines.setLoad(node, load)) this.touches.touchSeekers(node);
  }

  #refreshMachine(id: MachineId): void {
    const node = this.machines.of(id);
    const machine = this.#unreadable.machines.has(id) ? undefined : this.#machines.get(id);
    this.#version++;
    this.machines.setMachine(node, machine);
    this.#refreshGlobals(node);
    for (const unit of node.residents) this.touches.touch(unit);
    for (const unit of node.leavers) this.touches.touch(unit);
    this.touches.touchSeekers(node);
    this.machines.forgetIfEmpty(node);
  }

  /** Everything from what was taken in: globs before the names that they match, units before who runs where. */
  #build(): void {
    for (const id of this.#machines.keys()) this.#refreshMachine(id);
    for (const unit of this.#units.values()) this.units.noteGlobs(unit.requirements);
    for (const [name, unit] of this.#units) {
      const node = this.units.of(name);
      this.units.setUnit(node, unit);
    }
    for (const name of this.#unreadable.units) this.units.of(name).isUnreadable = true;
    for (const [name, placement] of this.#placements) {
      const node = this.units.of(name);
      node.placement = placement;
      this.#enter(node);
    }
    for (const [name, machines] of [...this.#leaving]) this.setLeaving(name, machines);
    for (const [name, unit] of this.#units) {
      if (unit.requirements.isGlobal && isWanted(unit)) this.globals.add(this.units.of(name));
    }
    for (const node of this.machines.all()) this.#refreshGlobals(node);
  }
}

function setOrDelete<K, V>(map: Map<K, V>, key: K, value: V | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}
