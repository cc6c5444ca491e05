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
  const candidates = narrow(index, node, unit);
  const score = scorer(index, node, unit);
  if (score !== undefined) {
    return findBest(candidates ?? index.machines.directory.inIdOrder(), (machine) =>
      fits(machine) ? [...score(machine), ...rank(index, unit, strategy, machine)] : undefined,
    );
  }
  if (candidates === undefined) return findFirst(inOrder(index, unit, strategy), fits);
  // If all are loaded alike, one of the least loaded ones is soon found to fit; else all that may fit are looked at.
  const early = findFirst(inOrder(index, unit, strategy), fits, candidates.length);
  return early ?? findBest(candidates, (machine) => (fits(machine) ? rank(index, unit, strategy, machine) : undefined));
}

/** All machines that a unit without one fits: the one that {@link chooseMachine} chooses first, then the next best. */
export function rankMachines(index: ClusterIndex, node: UnitNode): MachineNode[] {
  const { unit } = node;
  if (unit === undefined) return [];
  const home = findHome(index, node, unit);
  const strategy = unit.requirements.strategy ?? index.cluster.strategy;
  const score = scorer(index, node, unit);
  const others = index.machines.directory
    .inIdOrder()
    .filter(fitsFor(index, node))
    .map((machine) => ({ machine, score: [...(score?.(machine) ?? []), ...rank(index, unit, strategy, machine)] }))
    .sort((one, other) => (isLess(one.score, other.score) ? -1 : 1))
    .map(({ machine }) => machine)
    .filter((machine) => machine !== home);
  return home === undefined ? others : [home, ...others];
}

/** Whether a unit that is replaced at `home` could go elsewhere, to a machine where it neither is replaced nor replaces. */
export function hasQuietPlace(index: ClusterIndex, node: UnitNode, home: MachineNode): boolean {
  const { unit } = node;
  if (unit === undefined) return false;
  const fits = fitsFor(index, node);
  for (const machine of narrow(index, node, unit) ?? index.machines.directory.leastLoadedFirst()) {
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

/** The few machines that alone may fit, if it is easy to tell which. */
function narrow(index: ClusterIndex, node: UnitNode, { requirements }: Unit): readonly MachineNode[] | undefined {
  const { machineId, metadata } = requirements;
  const { units } = index;
  const { directory } = index.machines;
  if (machineId !== undefined) return [...directory.named(machineId)];
  for (const peer of node.peers) {
    const { home, unit } = units.find(peer) ?? {};
    if (home !== undefined && unit?.requirements.isGlobal !== true) return [home];
  }
  let least: { readonly key: string; readonly accepted: readonly string[]; readonly count: number } | undefined;
  for (const [key, accepted] of metadata) {
    const count = directory.countWithMetadata(key, accepted);
    if (least === undefined || count < least.count) least = { key, accepted, count };
  }
  return least === undefined ? undefined : directory.withMetadata(least.key, least.accepted);
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

/** The same order as {@link inOrder}, as numbers. */
function rank(index: ClusterIndex, unit: Unit, strategy: Strategy, machine: MachineNode): Score {
  const number = index.machines.directory.numberOf(machine);
  if (strategy === 'spread') return [machine.load, number];
  if (strategy === 'binpack') return [-machine.load, number];
  const { size } = index.machines.directory;
  return [(number - randomStart(index, unit) + size) % size];
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

function findBest(
  machines: Iterable<MachineNode>,
  scoreOf: (machine: MachineNode) => Score | undefined,
): MachineNode | undefined {
  let best: { readonly machine: MachineNode; readonly score: Score } | undefined;
  for (const machine of machines) {
    const score = scoreOf(machine);
    if (score !== undefined && (best === undefined || isLess(score, best.score))) best = { machine, score };
  }
  return best?.machine;
}

function isLess(one: Score, other: Score): boolean {
  for (const [position, value] of one.entries()) {
    const difference = value - (other[position] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
