import {
  awaitedPeerKey,
  type Cluster,
  isWanted,
  leavingKey,
  type Machine,
  type MachineId,
  misfitKey,
  passesTest,
  stoppingKey,
  type Unit,
  type WaitReason,
  waitReason,
} from '@flotilla/cluster';
import { type UnitName, unitNameParts } from '@flotilla/unit';
import type { Decision, Plan, UnscheduleReason } from './plan.js';
import {
  brokenRules,
  compare,
  findGlobalMisfit,
  globalsOf,
  isLostTo,
  isReplacedBy,
  isStuckSomewhere,
  liveMachines,
  loadOf,
  matches,
  needsMachine,
  residentsOf,
} from './rules-oracle.js';

/** How often a unit that was just placed may be taken off again by what is placed after it. */
const mostReturns = 3;

/** Decides what `schedule` does, from the rules alone: everything is found out anew at each step, from the maps. */
export function scheduleByBruteForce(cluster: Cluster): Omit<Plan, 'lookedAt'> {
  return new BruteForcePass(cluster).run();
}

class BruteForcePass {
  readonly #before: Cluster;
  /** The cluster with all that was decided until now. */
  #now: Cluster;
  readonly #reasons = new Map<UnitName, UnscheduleReason>();
  readonly #placedNow = new Set<UnitName>();
  readonly #returns = new Map<UnitName, number>();

  constructor(cluster: Cluster) {
    this.#before = cluster;
    this.#now = cluster;
  }

  run(): Omit<Plan, 'lookedAt'> {
    this.#checkPlaced();
    while (this.#placeWaiting());
    const blocked = new Map<UnitName, WaitReason>();
    const idleGlobals = new Map<UnitName, WaitReason>();
    for (const name of [...this.#now.units.keys()].sort(compare)) {
      const unit = this.#now.units.get(name);
      if (unit === undefined || !isWanted(unit) || this.#now.unreadable.units.has(name)) continue;
      if (!unit.requirements.isGlobal) {
        const waits = !this.#now.placements.has(name) || isStuckSomewhere(this.#now, name);
        if (waits) blocked.set(name, reasonToWait(this.#now, unit));
      } else if (!runsSomewhere(this.#now, name)) idleGlobals.set(name, reasonToBeIdle(this.#now, unit));
    }
    return { decisions: this.#netDecisions(), blocked, idleGlobals };
  }

  /** Takes off whatever may not stay, one after the other, always the first by name. */
  #checkPlaced(): void {
    const isOff = (name: UnitName) => {
      const why = findReasonToGo(this.#now, name);
      if (why !== undefined) this.#takeOff(name, why);
      return why !== undefined;
    };
    while ([...this.#now.placements.keys()].sort(compare).some(isOff));
  }

  #takeOff(name: UnitName, why: UnscheduleReason): void {
    const machine = this.#now.placements.get(name)?.machine;
    if (machine === undefined) return;
    const leaving = new Map(this.#now.leaving);
    if (this.#placedNow.has(name)) {
      this.#returns.set(name, (this.#returns.get(name) ?? 0) + 1);
      this.#placedNow.delete(name);
    } else {
      this.#reasons.set(name, why);
      if (!isLostTo(this.#now, machine)) leaving.set(name, new Set([...(leaving.get(name) ?? []), machine]));
    }
    const placements = new Map(this.#now.placements);
    placements.delete(name);
    this.#now = { ...this.#now, placements, leaving };
  }

  /** One round over all that wait. Whether it has placed anything. */
  #placeWaiting(): boolean {
    let isChanged = false;
    for (const name of [...this.#now.units.keys()].sort(compare)) {
      const unit = this.#now.units.get(name);
      if (!needsMachine(unit) || this.#now.placements.has(name)) continue;
      if ((this.#returns.get(name) ?? 0) > mostReturns) continue;
      if (this.#now.stopping.has(name)) continue;
      if (this.#now.unreadable.units.has(name) || machinesToLeave(this.#now, name).length > 0) continue;
      const machine = bestMachine(this.#now, unit);
      if (machine === undefined) continue;
      const placements = new Map(this.#now.placements);
      placements.set(name, { machine: machine.id, since: Number.MAX_SAFE_INTEGER });
      this.#now = { ...this.#now, placements };
      this.#placedNow.add(name);
      isChanged = true;
      this.#checkPlaced();
    }
    return isChanged;
  }

  #netDecisions(): Decision[] {
    const decisions: Decision[] = [];
    for (const [unit, why] of sorted(this.#reasons)) {
      const machine = this.#before.placements.get(unit)?.machine;
      if (machine !== undefined) decisions.push({ kind: 'unschedule', unit, machine, why });
    }
    for (const [unit, { machine }] of sorted(this.#now.placements))
      if (this.#placedNow.has(unit)) decisions.push({ kind: 'schedule', unit, machine });
    return decisions;
  }
}

/** Why a unit has to leave the machine where it is placed. */
function findReasonToGo(cluster: Cluster, name: UnitName): UnscheduleReason | undefined {
  const id = cluster.placements.get(name)?.machine;
  const unit = cluster.units.get(name);
  if (id === undefined || cluster.unreadable.units.has(name)) return undefined;
  if (unit === undefined) return { kind: 'destroyed' };
  if (unit.desiredState === 'inactive') return { kind: 'inactive' };
  if (unit.requirements.isGlobal) return { kind: 'global' };
  if (!needsMachine(unit)) return { kind: 'template' };
  const machine = liveMachines(cluster).find((live) => live.id === id);
  const mayGo = isLostTo(cluster, id) && !cluster.stopping.has(name);
  if (machine === undefined) return mayGo ? { kind: 'machine-lost' } : undefined;
  const misfits = brokenRules(cluster, unit, { machine, as: 'there' });
  if (misfits.length > 0) return { kind: 'misfit', misfits };
  const by = findReplacement(cluster, unit, id);
  return by && { kind: 'replaced', by };
}

/** Why a unit that is to run is on no machine. */
export function reasonToWait(cluster: Cluster, unit: Unit): WaitReason {
  const total = liveMachines(cluster).length;
  const stopping = cluster.stopping.get(unit.name);
  if (stopping !== undefined) return waitReason(1, new Map([[stoppingKey(stopping), 1]]));
  const leaving = machinesToLeave(cluster, unit.name);
  if (leaving.length > 0) return waitReason(total, new Map(leaving.map((id) => [leavingKey(id), 1])));
  const awaited = unit.requirements.machineOf.find((peer) => !isSomewhere(cluster, peer));
  if (awaited !== undefined) return waitReason(total, new Map([[awaitedPeerKey(awaited), 1]]));
  const counts = new Map<string, number>();
  for (const machine of liveMachines(cluster)) {
    const [misfit] = brokenRules(cluster, unit, { machine, as: isHome(unit, machine) ? 'home' : 'new' });
    if (misfit !== undefined) counts.set(misfitKey(misfit), (counts.get(misfitKey(misfit)) ?? 0) + 1);
  }
  return waitReason(total, counts);
}

/** Why a global unit runs nowhere. */
function reasonToBeIdle(cluster: Cluster, unit: Unit): WaitReason {
  const live = liveMachines(cluster);
  const keys = live.flatMap((machine) => findGlobalMisfit(cluster, unit, { machine }) ?? []).map(misfitKey);
  return waitReason(live.length, new Map(keys.map((key) => [key, keys.filter((other) => other === key).length])));
}

/** Where a waiting unit goes. */
function bestMachine(cluster: Cluster, unit: Unit): Machine | undefined {
  const live = liveMachines(cluster);
  const home = live.find((machine) => isHome(unit, machine));
  if (
    home !== undefined &&
    brokenRules(cluster, unit, { machine: home, as: 'home' }).length === 0 &&
    findReplacement(cluster, unit, home.id) === undefined
  )
    return home;
  const fitting = live.filter((machine) => brokenRules(cluster, unit, { machine, as: 'new' }).length === 0);
  const rank = (machine: Machine) => [...disquiet(cluster, unit, machine), ...wishes(cluster, unit, machine)];
  const ranked = fitting.map((machine) => ({
    machine,
    rank: [...rank(machine), strategyRank(cluster, unit, machine)],
  }));
  return ranked.sort((a, b) => compareRanks(a.rank, b.rank))[0]?.machine;
}

/** Who drives a unit from a machine, if there is another one for it. */
function findReplacement(cluster: Cluster, unit: Unit, id: MachineId): UnitName | undefined {
  const others = liveMachines(cluster).filter((live) => live.id !== id);
  if (!others.some((other) => isRefuge(cluster, unit, other))) return undefined;
  const driving = residentsOf(cluster, id).filter((resident) => isReplacedBy(unit, resident));
  const { placements } = withoutUnit(cluster, unit.name, id);
  return driving.find(({ name }) => placements.has(name))?.name;
}

/** The cluster when a unit is not on a machine, nor what can't be there without it. */
function withoutUnit(cluster: Cluster, name: UnitName, id: MachineId): Cluster {
  const placements = new Map(cluster.placements);
  placements.delete(name);
  const left = { ...cluster, placements };
  for (const machine of liveMachines(cluster).filter((live) => live.id === id))
    for (const resident of residentsOf(left, id)) {
      const unit = cluster.units.get(resident.name);
      if (!needsMachine(unit) || cluster.unreadable.units.has(unit.name)) continue;
      if (brokenRules(left, unit, { machine, as: 'there' }).length > 0) return withoutUnit(left, unit.name, id);
    }
  return left;
}

/** 0: nobody there replaces anybody; 1: only the unit does; 2: it is replaced. Heeded by units that anyone replaces. */
function disquiet(cluster: Cluster, unit: Unit, machine: Machine): number[] {
  const { placements, unreadable } = cluster;
  const counts = (other: Unit) =>
    (unreadable.units.has(other.name) && placements.has(other.name)) || needsMachine(other);
  const all = [...cluster.units.values()].filter(counts);
  if (!all.some((other) => isReplacedBy(unit, other))) return [];
  const residents = residentsOf(cluster, machine.id);
  if (residents.some((other) => isReplacedBy(unit, other))) return [2];
  return [residents.some((other) => isReplacedBy(other, unit)) ? 1 : 0];
}

/** Preferences and evenness, the least is the best. */
function wishes(cluster: Cluster, unit: Unit, machine: Machine): number[] {
  const { preferMetadata, preferConflicts, spreadOver } = unit.requirements;
  const others = [...residentsOf(cluster, machine.id), ...globalsOf(cluster, machine)];
  let score = 0;
  for (const { weight, test } of preferMetadata) if (passesTest(machine.metadata, test)) score += weight;
  for (const { weight, glob } of preferConflicts)
    for (const { name } of others) if (name !== unit.name && matches(glob, name)) score -= weight;
  return [-score, ...spreadOver.map((key) => siblingsInGroup(cluster, unit, machine.metadata.get(key), key))];
}

function siblingsInGroup(cluster: Cluster, { name }: Unit, value: string | undefined, key: string): number {
  const { template } = unitNameParts(name);
  const group = liveMachines(cluster).filter(({ metadata }) => metadata.get(key) === value);
  const placed = group.flatMap(({ id }) => residentsOf(cluster, id));
  return placed.filter((other) => template !== undefined && unitNameParts(other.name).template === template).length;
}

function strategyRank(cluster: Cluster, unit: Unit, machine: Machine): number {
  const strategy = unit.requirements.strategy ?? cluster.strategy;
  if (strategy === 'spread') return loadOf(cluster, machine);
  if (strategy === 'binpack') return -loadOf(cluster, machine);
  const live = liveMachines(cluster);
  const start = fnv1a(`${unit.createdAt}/${unit.name}`) % live.length;
  const at = live.findIndex(({ id }) => id === machine.id);
  return (at - start + live.length) % live.length;
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5n;
  for (const byte of new TextEncoder().encode(text)) hash = ((hash ^ BigInt(byte)) * 0x01000193n) % 2n ** 32n;
  return Number(hash);
}

function isRefuge(cluster: Cluster, unit: Unit, machine: Machine): boolean {
  const isQuiet = residentsOf(cluster, machine.id).every(
    (other) => !isReplacedBy(unit, other) && !isReplacedBy(other, unit),
  );
  return isQuiet && brokenRules(cluster, unit, { machine, as: 'new' }).length === 0;
}

function isSomewhere(cluster: Cluster, peer: string): boolean {
  const placements = [...cluster.placements.values()];
  if (placements.some(({ machine }) => residentsOf(cluster, machine).some(({ name }) => name === peer))) return true;
  return runsSomewhere(cluster, peer);
}

function runsSomewhere(cluster: Cluster, global: string): boolean {
  return liveMachines(cluster).some((machine) => globalsOf(cluster, machine).some(({ name }) => name === global));
}

function isHome({ runsOn }: Unit, { id, since = 0 }: Machine): boolean {
  return runsOn !== undefined && runsOn.machine === id && since <= runsOn.asOf;
}

function machinesToLeave(cluster: Cluster, name: UnitName): MachineId[] {
  return [...(cluster.leaving.get(name) ?? [])].filter((id) => !isLostTo(cluster, id)).sort(compare);
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  for (const [at, value] of a.entries()) if (value !== b[at]) return value - (b[at] ?? 0);
  return 0;
}

function sorted<K extends string, V>(map: ReadonlyMap<K, V>): [K, V][] {
  return [...map].sort(([a], [b]) => compare(a, b));
}
