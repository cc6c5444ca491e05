import {
  type Cluster,
  isWanted,
  type Machine,
  type MachineId,
  type Misfit,
  passesTest,
  type Unit,
} from '@flotilla/cluster';
import { matchGlob, noRequirements, type Requirements, type UnitName } from '@flotilla/unit';

/** A unit on a machine, as far as the rules look at it. */
export interface Neighbour {
  readonly name: UnitName;
  readonly requirements: Requirements;
  readonly createdAt: number;
  readonly placedAt: number;
}

/** Whether a unit is looked at as one that is on the machine, that comes back to it, or that is new to it. */
export type Standing = 'there' | 'home' | 'new';

export function needsMachine(unit: Unit | undefined): unit is Unit {
  return unit !== undefined && isWanted(unit) && !unit.requirements.isGlobal;
}

export function isLostTo({ machines, unreadable, away }: Cluster, id: MachineId): boolean {
  return ![machines, unreadable.machines, away].some((known) => known.has(id));
}

/** Whether a unit stays on a machine that is lost, as it may still be up there. */
export function isStuckSomewhere(cluster: Cluster, name: UnitName): boolean {
  const id = cluster.placements.get(name)?.machine;
  return id !== undefined && isLostTo(cluster, id) && cluster.stopping.has(name);
}

/** The machines on which something may be placed. */
export function liveMachines({ machines, unreadable }: Cluster): Machine[] {
  const live = [...machines.values()].filter(({ id }) => !unreadable.machines.has(id));
  return live.sort((a, b) => compare(a.id, b.id));
}

/** The non-global units that count on a machine, by name. */
export function residentsOf(cluster: Cluster, id: MachineId): Neighbour[] {
  const names = [...cluster.placements].filter(([, { machine }]) => machine === id).map(([name]) => name);
  return names.sort(compare).flatMap((name) => {
    const isCounted = cluster.unreadable.units.has(name) || needsMachine(cluster.units.get(name));
    return isCounted ? [neighbour(cluster, name)] : [];
  });
}

function leaversOf(cluster: Cluster, id: MachineId): Neighbour[] {
  const names = [...cluster.leaving].filter(([, machines]) => machines.has(id)).map(([name]) => name);
  return names.sort(compare).map((name) => neighbour(cluster, name));
}

/** The global units that run on a machine. */
export function globalsOf(cluster: Cluster, machine: Machine): Neighbour[] {
  const running: Neighbour[] = [];
  const globals = [...cluster.units.values()].filter((unit) => isWanted(unit) && unit.requirements.isGlobal);
  for (const unit of globals.sort((a, b) => (isMadeBefore(a, b) ? -1 : 1))) {
    if (findGlobalMisfit(cluster, unit, { machine, running }) === undefined)
      running.push(neighbour(cluster, unit.name));
  }
  return running;
}

/** Why a global unit does not run on a machine, on which those do that `running` says. */
export function findGlobalMisfit(
  cluster: Cluster,
  unit: Unit,
  { machine, running = globalsOf(cluster, machine) }: { machine: Machine; running?: readonly Neighbour[] },
): Misfit | undefined {
  const misfit = findMetadataMisfit(unit.requirements, machine);
  if (misfit !== undefined) return misfit;
  const earlier = [...residentsOf(cluster, machine.id), ...running].filter((other) => isMadeBefore(other, unit));
  const [name] = earlier
    .filter((other) => isConflict(unit, other))
    .map((other) => other.name)
    .sort(compare);
  return name && { kind: 'conflict', with: name };
}

export function loadOf(cluster: Cluster, machine: Machine): number {
  return residentsOf(cluster, machine.id).length + globalsOf(cluster, machine).length;
}

/** Every rule that `unit` breaks on `machine`, in order. */
export function brokenRules(
  cluster: Cluster,
  unit: Unit,
  { machine, as }: { machine: Machine; as: Standing },
): Misfit[] {
  const { machineId, machineOf } = unit.requirements;
  const found: (Misfit | undefined)[] = [];
  if (machineId !== undefined && machineId !== machine.id && machineId !== machine.id.slice(0, 8))
    found.push({ kind: 'not-required-machine', required: machineId });
  found.push(findMetadataMisfit(unit.requirements, machine));
  const missing = machineOf.find((peer) => !staysBeside(cluster, unit, { peer, machine, isNew: as !== 'there' }));
  if (missing !== undefined) found.push({ kind: 'missing-peer', peer: missing });
  const [conflict] = conflictsOf(cluster, unit, { machine, as }).sort((a, b) => compare(a.name, b.name));
  if (conflict !== undefined) found.push({ kind: 'conflict', with: conflict.name });
  if (as === 'new' && machine.isClosed) found.push({ kind: 'machine-closed' });
  const { maxUnits } = machine;
  if (as === 'new' && maxUnits !== undefined && loadOf(cluster, machine) >= maxUnits)
    found.push({ kind: 'machine-full', maxUnits });
  return found.filter((misfit) => misfit !== undefined);
}

/** Whether `one` drives `other` from its machine. */
export function isReplacedBy(
  other: Pick<Unit, 'name' | 'requirements'>,
  one: Pick<Unit, 'name' | 'requirements'>,
): boolean {
  if (one.name === other.name || one.requirements.isGlobal || other.requirements.isGlobal) return false;
  return names(one.requirements.replaces, other.name) && !names(other.requirements.replaces, one.name);
}

export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function matches(glob: string, name: UnitName): boolean {
  return matchGlob(glob, name);
}

function neighbour(cluster: Cluster, name: UnitName): Neighbour {
  const { requirements = noRequirements, createdAt = Number.POSITIVE_INFINITY } = cluster.units.get(name) ?? {};
  return { name, requirements, createdAt, placedAt: cluster.placements.get(name)?.since ?? 0 };
}

function conflictsOf(cluster: Cluster, unit: Unit, { machine, as }: { machine: Machine; as: Standing }): Neighbour[] {
  const globals = globalsOf(cluster, machine).filter((other) => isMadeBefore(other, unit));
  const residents = residentsOf(cluster, machine.id);
  const placedAt = cluster.placements.get(unit.name)?.since ?? 0;
  const isBefore = (other: Neighbour) => other.placedAt - placedAt || compare(other.name, unit.name);
  const others =
    as === 'there'
      ? residents.filter((other) => isBefore(other) < 0)
      : [...residents, ...leaversOf(cluster, machine.id)];
  return [...others, ...globals].filter((other) => isConflict(unit, other));
}

/**
 * Whether a peer is on a machine, and would still be there with the unit: globals that give way to the unit would not,
 * nor would what follows them.
 */
function staysBeside(
  cluster: Cluster,
  unit: Unit,
  { peer, machine, isNew }: { peer: string; machine: Machine; isNew: boolean },
): boolean {
  const residents = residentsOf(cluster, machine.id);
  const globals = globalsOf(cluster, machine);
  if (![...residents, ...globals].some(({ name }) => name === peer)) return false;
  const givesWay = (other: Neighbour) => isConflict(other, unit) && isMadeBefore(unit, other);
  return !isNew || !globals.some((other) => givesWay(other) && followed(residents, peer).has(other.name));
}

/** A unit with all that it is to be with on a machine, also through others there. */
export function followed(residents: readonly Neighbour[], name: string): ReadonlySet<string> {
  const reached = new Set([name]);
  for (const each of reached)
    for (const { requirements } of residents.filter((other) => other.name === each))
      for (const peer of requirements.machineOf) reached.add(peer);
  return reached;
}

function isConflict(one: Pick<Unit, 'name' | 'requirements'>, other: Pick<Unit, 'name' | 'requirements'>): boolean {
  if (one.name === other.name) return false;
  return names(one.requirements.conflicts, other.name) || names(other.requirements.conflicts, one.name);
}

function isMadeBefore(a: Pick<Unit, 'name' | 'createdAt'>, b: Pick<Unit, 'name' | 'createdAt'>): boolean {
  return a.createdAt < b.createdAt || (a.createdAt === b.createdAt && a.name < b.name);
}

function findMetadataMisfit(asked: Requirements, { metadata }: Machine): Misfit | undefined {
  for (const [key, accepted] of asked.metadata)
    if (!accepted.some((value) => metadata.get(key) === value)) return { kind: 'missing-metadata', key, accepted };
  const test = asked.metadataTests.find((each) => !passesTest(metadata, each));
  return test && { kind: 'failed-test', test };
}

function names(globs: readonly string[], name: UnitName): boolean {
  return globs.some((glob) => matchGlob(glob, name));
}
