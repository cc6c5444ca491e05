import { passesTest, type Unit } from '@flotilla/cluster';
import type { Strategy } from '@flotilla/unit';
import type { ClusterIndex } from './cluster-index.js';
import type { MachineNode, UnitNode } from './index-nodes.js';
import { Probe } from './probe.js';
import { isReplaceable, replacersOn, replacesOn } from './relations.js';
import { hashName } from './strategies.js';

/** What makes one fitting machine better than another, the weightiest first; less is better. */
type Score = readonly number[];

/**
 * The machine that a unit without one is to have: where it says that it runs, else the best of those that fit.
 * `undefined` if none does.
 */
export function chooseMachine(index: ClusterIndex, node: UnitNode): MachineNode | undefined {
  const { unit } = node;
  if (unit === undefined) return undefined;
  const fits = fitsFor(index, node);
  const strategy = unit.requirements.strategy ?? index.cluster.strategy;
  if (node.asksNothing && node.matchedBy.length === 0 && strategy === 'spread') {
    const { leastLoaded } = index.machines.directory;
    if (leastLoaded !== undefined && fits(leastLoaded)) return leastLoaded;
  }
  const home = findHome(index, node, unit);
  if (home !== undefined) return home;
  const few = narrow(index, node, unit);
  const score = scorer(index, node, unit);
  const precedes = precedence(index, unit, strategy);
  if (score !== undefined) {
    const candidates = few?.list() ?? index.machines.directory.inIdOrder();
    return findBest(scored(candidates.filter(fits), score), precedesScored(precedes))?.machine;
  }
  if (few === undefined) return findFirst(inOrder(index, unit, strategy), fits);
  // If all are loaded alike, one of the least loaded ones is soon found to fit; else all that may fit are looked at.
  const early = findFirst(inOrder(index, unit, strategy), fits, few.size);
  return early ?? findBest(few.list(), precedes, fits);
}

/** All machines that a unit without one fits: the one that {@link chooseMachine} chooses first, then the next best. */
export function rankMachines(index: ClusterIndex, node: UnitNode): MachineNode[] {
  const { unit } = node;
  if (unit === undefined) return [];
  const home = findHome(index, node, unit);
  const strategy = unit.requirements.strategy ?? index.cluster.strategy;
  const score = scorer(index, node, unit);
  const fitting = index.machines.directory.inIdOrder().filter(fitsFor(index, node));
  const precedes = precedesScored(precedence(index, unit, strategy));
  const others = scored(fitting, score)
    .sort((one, other) => (precedes(one, other) ? -1 : 1))
    .map(({ machine }) => machine)
    .filter((machine) => machine !== home);
  return home === undefined ? others : [home, ...others];
}

/** Whether a unit that is replaced at `home` could go elsewhere, to a machine where it neither is replaced nor replaces. */
export function hasQuietPlace(index: ClusterIndex, node: UnitNode, home: MachineNode): boolean {
  const { unit } = node;
  if (unit === undefined) return false;
  const fits = fitsFor(index, node);
  for (const machine of narrow(index, node, unit)?.list() ?? index.machines.directory.leastLoadedFirst()) {
    if (machine !== home && fits(machine) && unrest(machine, node) === 0) return true;
  }
  return false;
}

/** How much `machine` is preferred for a unit: the sum of the weights of the wishes that it fulfils. */
export function preference(node: UnitNode, machine: MachineNode): number {
  const { unit } = node;
  const metadata = machine.machine?.metadata;
  if (unit === undefined || metadata === undefined) return 0;
  let sum = 0;
  for (const { weight, test } of unit.requirements.preferMetadata) if (passesTest(metadata, test)) sum += weight;
  for (const [position, { weight }] of unit.requirements.preferConflicts.entries()) {
    const glob = node.avoids[position];
    if (glob === undefined) continue;
    const residents = glob.matched.on(machine);
    const others = (residents?.size ?? 0) - (residents?.has(node) === true ? 1 : 0);
    const globals = machine.globals.filter((global) => global.matchedBy.includes(glob)).length;
    sum -= weight * (others + globals);
  }
  return sum;
}

/**
 * The machine that a unit says it runs on, if it fits there. It is nothing new to that machine, which may be closed or
 * full. A machine that was away in between has lost the unit to another one, and is like any other to it.
 */
function findHome(index: ClusterIndex, node: UnitNode, unit: Unit): MachineNode | undefined {
  const { runsOn } = unit;
  if (runsOn === undefined) return undefined;
  const home = index.machines.of(runsOn.machine);
  if ((home.machine?.since ?? 0) > runsOn.asOf) return undefined;
  if (!new Probe(index, node, home, { isAtHome: true }).fits(home)) return undefined;
  // It would be moved away at once.
  return unrest(home, node) === 2 && hasQuietPlace(index, node, home) ? undefined : home;
}

function fitsFor(index: ClusterIndex, node: UnitNode): (machine: MachineNode) => boolean {
  let probe: Probe | undefined;
  return (machine) => {
    probe ??= new Probe(index, node, machine);
    return probe.fits(machine);
  };
}

/** Machines that are listed only if need be. */
interface MachineList {
  readonly size: number;
  list(): readonly MachineNode[];
}

/** The few machines that alone may fit, if it is easy to tell which. */
function narrow(index: ClusterIndex, node: UnitNode, { requirements }: Unit): MachineList | undefined {
  const { machineId, metadata } = requirements;
  const { units } = index;
  const { directory } = index.machines;
  if (machineId !== undefined) return listOf([...directory.named(machineId)]);
  for (const peer of node.peers) {
    const { home, unit, copies = 0 } = units.find(peer) ?? {};
    if (home === undefined && copies === 0) return listOf([]);
    if (home !== undefined && unit?.requirements.isGlobal !== true) return listOf([home]);
  }
  let least: MachineList | undefined;
  for (const [key, accepted] of metadata) {
    const size = directory.countWithMetadata(key, accepted);
    if (least === undefined || size < least.size) least = { size, list: () => directory.withMetadata(key, accepted) };
  }
  return least;
}

function listOf(machines: readonly MachineNode[]): MachineList {
  return { size: machines.length, list: () => machines };
}

/** What counts before the strategy; `undefined` if nothing does. */
function scorer(index: ClusterIndex, node: UnitNode, unit: Unit): ((machine: MachineNode) => Score) | undefined {
  const { preferMetadata, preferConflicts, spreadOver } = unit.requirements;
  const mayBeReplaced = isReplaceable(node);
  if (!mayBeReplaced && preferMetadata.length + preferConflicts.length + spreadOver.length === 0) return undefined;
  const fellows = spreadOver.map((key) => countFellows(index, node, key));
  return (machine) => [
    mayBeReplaced ? unrest(machine, node) : 0,
    -preference(node, machine),
    ...spreadOver.map((key, position) => fellows[position]?.get(machine.machine?.metadata.get(key)) ?? 0),
  ];
}

/** 0 where a unit is left alone and leaves others alone; 1 where it moves another one away; 2 where it is moved away. */
function unrest(machine: MachineNode, node: UnitNode): number {
  for (const _ of replacersOn(machine, node)) return 2;
  return replacesOn(machine, node) ? 1 : 0;
}

/** How many instances of the unit's template there are on the machines of each value of `key`. */
function countFellows(index: ClusterIndex, node: UnitNode, key: string): Map<string | undefined, number> {
  const counts = new Map<string | undefined, number>();
  for (const [{ machine }, count] of index.units.fellowsOf(node)) {
    if (machine === undefined) continue;
    const value = machine.metadata.get(key);
    counts.set(value, (counts.get(value) ?? 0) + count);
  }
  return counts;
}

function inOrder(index: ClusterIndex, unit: Unit, strategy: Strategy): Iterable<MachineNode> {
  const { directory } = index.machines;
  if (strategy === 'spread') return directory.leastLoadedFirst();
  if (strategy === 'binpack') return directory.mostLoadedFirst();
  const machines = directory.inIdOrder();
  const start = randomStart(index, unit);
  return [...machines.slice(start), ...machines.slice(0, start)];
}

/** Whether one machine comes before another one in the order of {@link inOrder}. */
type Precedes<M> = (one: M, other: M) => boolean;

function precedence(index: ClusterIndex, unit: Unit, strategy: Strategy): Precedes<MachineNode> {
  if (strategy === 'spread')
    return (one, other) => (one.load === other.load ? one.id < other.id : one.load < other.load);
  if (strategy === 'binpack')
    return (one, other) => (one.load === other.load ? one.id < other.id : one.load > other.load);
  const { directory } = index.machines;
  const start = randomStart(index, unit);
  const number = (machine: MachineNode) => (directory.numberOf(machine) - start + directory.size) % directory.size;
  return (one, other) => number(one) < number(other);
}

interface Scored {
  readonly machine: MachineNode;
  readonly score: Score;
}

function scored(machines: readonly MachineNode[], score: ((machine: MachineNode) => Score) | undefined): Scored[] {
  return machines.map((machine) => ({ machine, score: score?.(machine) ?? [] }));
}

function precedesScored(precedes: Precedes<MachineNode>): Precedes<Scored> {
  return (one, other) => {
    for (const [position, value] of one.score.entries()) {
      const difference = value - (other.score[position] ?? 0);
      if (difference !== 0) return difference < 0;
    }
    return precedes(one.machine, other.machine);
  };
}

function randomStart({ machines: { directory } }: ClusterIndex, { name, createdAt }: Unit): number {
  return directory.size === 0 ? 0 : hashName(name, createdAt) % directory.size;
}

function findFirst(
  machines: Iterable<MachineNode>,
  fits: (machine: MachineNode) => boolean,
  most = Number.POSITIVE_INFINITY,
): MachineNode | undefined {
  let left = most;
  for (const machine of machines) {
    if (left-- <= 0) return undefined;
    if (fits(machine)) return machine;
  }
  return undefined;
}

function findBest<M>(
  machines: Iterable<M>,
  precedes: Precedes<M>,
  fits: (machine: M) => boolean = () => true,
): M | undefined {
  let best: M | undefined;
  for (const machine of machines) {
    if ((best === undefined || precedes(machine, best)) && fits(machine)) best = machine;
  }
  return best;
}
