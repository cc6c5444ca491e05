import {
  everyMisfit,
  type MachineExplanation,
  type MachineId,
  type Misfit,
  spellRequirements,
  type Unit,
  type UnitExplanation,
  type UnitStanding,
  type UnknownUnit,
  type WaitReason,
} from '@flotilla/cluster';
import { findNearest, type UnitName, unitNameParts } from '@flotilla/unit';
import { preference, rankMachines } from './choose-machine.js';
import type { ClusterIndex } from './cluster-index.js';
import type { MachineNode, UnitNode } from './index-nodes.js';
import { isLost } from './lost-machines.js';
import type { MirrorState } from './mirror-state.js';
import { unitOf } from './mirrored-records.js';
import { explainIdleGlobal, globalMisfitsOn, WaitReasons } from './wait.js';

/** Of more names the one most like a wrong one is not looked for: comparing so many takes 10 ms. */
const mostNamesCompared = 10_000;

/** Later than anything that is in the store: when an instance would be made of a template. */
const justNow = Number.MAX_SAFE_INTEGER;

/** Why a unit is where it is: every machine with every rule. The state is as before. Takes as long as there are machines. */
export function explainUnit(state: MirrorState, name: UnitName): UnitExplanation | UnknownUnit {
  const { index } = state;
  const entry = state.units.get(name);
  const isUnreadable = index.cluster.unreadable.units.has(name);
  if (entry === undefined && !isUnreadable) return { kind: 'unknown', nearest: findNearestName(state, name) };
  // A unit whose copies are still looked for is about to be decided about.
  const isDecided = !isUnreadable || state.formerGlobals.suspects.has(name);
  const reading = entry && state.files.read(name, entry.record.file);
  const unit = entry && reading?.kind === 'known' ? unitOf(name, entry, reading.requirements) : undefined;
  const placement = index.cluster.placements.get(name)?.machine;
  const standing = unit === undefined || !isDecided ? 'unreadable' : standingOf(unit, placement);
  const { machines, reason } =
    unit === undefined ? { machines: [], reason: undefined } : explainMachines(index, unit, standing);
  const leaving = index.cluster.leaving.get(name) ?? [];
  const stored = state.reasons.get(name)?.record;
  // Only the leader knows since when a machine is gone; others have its word for it.
  const isHeld = stored !== undefined && placement !== undefined && isLost(placement, index.cluster);
  const held = isHeld ? { machines: stored.machines, misfits: stored.misfits } : undefined;
  return {
    kind: 'unit',
    unit: name,
    desiredState: entry?.record.desiredState,
    standing,
    placement,
    isHeldBack: placement !== undefined && (index.cluster.away.has(placement) || held !== undefined),
    leaving: [...leaving].filter((id) => !isLost(id, index.cluster)).sort(),
    reason: held ?? reason,
    waitingSince: (held ?? reason) === undefined ? undefined : stored?.since,
    requirements: unit === undefined ? [] : spellRequirements(unit.requirements),
    strategy: unit?.requirements.strategy ?? index.cluster.strategy,
    machines,
  };
}

function standingOf({ name, desiredState, requirements }: Unit, placement: MachineId | undefined): UnitStanding {
  if (unitNameParts(name).isTemplate) return 'template';
  if (desiredState === 'inactive') return 'inactive';
  if (requirements.isGlobal) return 'global';
  return placement === undefined ? 'waiting' : 'placed';
}

interface ExplainedMachines {
  readonly machines: readonly MachineExplanation[];
  readonly reason: WaitReason | undefined;
}

function explainMachines(index: ClusterIndex, unit: Unit, standing: UnitStanding): ExplainedMachines {
  if (unit.requirements.isGlobal) return explainGlobal(index, asIfWanted(unit, standing), standing);
  if (standing !== 'inactive' && standing !== 'template')
    return explainPlacing(index, index.units.of(unit.name), standing);
  const explained: ExplainedMachines[] = [];
  supposing(index, asIfWanted(unit, standing), (node) => explained.push(explainPlacing(index, node, standing)));
  return explained[0] ?? { machines: [], reason: undefined };
}

/** What the scheduler would look at if the unit were to run, or an instance of it. */
function asIfWanted(unit: Unit, standing: UnitStanding): Unit {
  const wanted: Unit = { ...unit, desiredState: 'launched' };
  return standing === 'template' ? { ...wanted, createdAt: justNow } : wanted;
}

/** Has a unit in the index for a moment as it is not; nobody is told. */
function supposing(index: ClusterIndex, supposed: Unit, look: (node: UnitNode) => void): void {
  const { name } = supposed;
  const known = index.cluster.units.get(name);
  index.touches.whileTelling(undefined, () => {
    index.setUnit(name, supposed);
    look(index.units.of(name));
    index.setUnit(name, known);
  });
}

function explainPlacing(index: ClusterIndex, node: UnitNode, standing: UnitStanding): ExplainedMachines {
  const isOpen = standing === 'waiting' || standing === 'inactive';
  const ranking = isOpen ? rankMachines(index, node) : [];
  const rankById = new Map(ranking.map(({ id }, position) => [id, position + 1]));
  const asked = node.unit?.requirements;
  const prefers = asked !== undefined && asked.preferMetadata.length + asked.preferConflicts.length > 0;
  const machines = index.machines.directory.inIdOrder().map((machine) => ({
    ...standingOn(machine),
    isHere: standing === 'placed' && node.home === machine,
    misfits: misfitsOf(index, node, machine),
    preference: prefers ? preference(node, machine) : undefined,
    rank: rankById.get(machine.id),
  }));
  const { cluster } = index;
  const mustLeave = cluster.stopping.has(node.name) || [...(node.leaving ?? [])].some((id) => !isLost(id, cluster));
  const waits = standing === 'waiting' && (mustLeave || ranking.length === 0);
  return { machines, reason: waits ? new WaitReasons(index).of(node) : undefined };
}

function misfitsOf(index: ClusterIndex, { name, unit }: UnitNode, { id, machine }: MachineNode): Misfit[] {
  if (unit === undefined || machine === undefined) return [];
  return everyMisfit(unit, machine, index.contextOf(name, id));
}

function explainGlobal(index: ClusterIndex, unit: Unit, standing: UnitStanding): ExplainedMachines {
  const machines = index.machines.directory.inIdOrder().map((node) => ({
    ...standingOn(node),
    isHere: standing === 'global' && node.globals.some(({ name }) => name === unit.name),
    misfits: globalMisfitsOn(unit, node),
    preference: undefined,
    rank: undefined,
  }));
  const waits = standing === 'global' && !machines.some(({ isHere }) => isHere);
  return { machines, reason: waits ? explainIdleGlobal(index, unit) : undefined };
}

function standingOn({ id, load, machine }: MachineNode): Pick<MachineExplanation, 'machine' | 'load' | 'maxUnits'> {
  return { machine: id, load, maxUnits: machine?.maxUnits };
}

function findNearestName({ units }: MirrorState, name: UnitName): UnitName | undefined {
  const names = [...units.entries.keys()];
  if (names.length > mostNamesCompared) return undefined;
  const nearest = findNearest(stemOf(name), names.map(stemOf));
  return names.find((each) => stemOf(each) === nearest);
}

/** A name without its type, which all names that are unlike each other would have in common. */
function stemOf(name: UnitName): string {
  return name.slice(0, name.lastIndexOf('.'));
}
