import type { MetadataTest, UnitName } from '@flotilla/unit';
import type { Machine, Unit } from './cluster-model.js';
import { shortMachineId } from './machine-id.js';
import { isAccepted, passesTest } from './metadata.js';

/** Why a unit may not run on a machine. */
export type Misfit =
  | { readonly kind: 'not-required-machine'; readonly required: string }
  | { readonly kind: 'missing-metadata'; readonly key: string; readonly accepted: readonly string[] }
  | { readonly kind: 'failed-test'; readonly test: MetadataTest }
  | { readonly kind: 'missing-peer'; readonly peer: string }
  | { readonly kind: 'conflict'; readonly with: UnitName }
  | { readonly kind: 'machine-closed' }
  | { readonly kind: 'machine-full'; readonly maxUnits: number };

/** What the rules look at besides the unit and the machine: how things stand on that machine. */
export interface MachineContext {
  /** Whether a unit is on the machine: a non-global one placed there, the one in question too, or a global one. */
  has(name: string): boolean;
  /**
   * A unit of the machine that can't share it with `unit` and comes before it. Before a unit that is not there come all
   * non-global ones that are, also those that are still leaving; before one that is there, those placed earlier; and
   * before either, the global ones that were made earlier.
   */
  findConflict(unit: Unit): UnitName | undefined;
  /** How many units count on the machine: non-global ones placed there, and the globals that run there. */
  readonly load: number;
}

type Rule = (unit: Unit, machine: Machine, context: MachineContext) => Misfit | undefined;

/** In the order in which they are told: the first one is the reason that people see. */
const rules: readonly Rule[] = [
  requiredMachine,
  requiredMetadata,
  requiredPeers,
  noConflict,
  openMachine,
  roomOnMachine,
];

/**
 * Why `unit` may not run on `machine`: one misfit per broken rule, in the order of the rules. None: it fits.
 *
 * @see coreos/fleet agent/state.go (AbleToRun)
 */
export function misfits(unit: Unit, machine: Machine, context: MachineContext): Misfit[] {
  const found: Misfit[] = [];
  for (const rule of rules) {
    const misfit = rule(unit, machine, context);
    if (misfit !== undefined) found.push(misfit);
  }
  return found;
}

/** The first of {@link misfits}, without looking for the others. */
export function findMisfit(unit: Unit, machine: Machine, context: MachineContext): Misfit | undefined {
  for (const rule of rules) {
    const misfit = rule(unit, machine, context);
    if (misfit !== undefined) return misfit;
  }
  return undefined;
}

/**
 * {@link misfits} with each part of a rule that is broken: every line of `MachineMetadata=` and `MachineOf=`, where
 * `misfits` stops at the first of a rule. For people who ask why.
 */
export function everyMisfit(unit: Unit, machine: Machine, context: MachineContext): Misfit[] {
  return misfits(unit, machine, context).flatMap((misfit): Misfit[] => {
    switch (misfit.kind) {
      case 'missing-metadata':
      case 'failed-test':
        return everyMetadataMisfit(unit, machine);
      case 'missing-peer':
        return unit.requirements.machineOf
          .filter((peer) => !context.has(peer))
          .map((peer) => ({ kind: 'missing-peer', peer }));
      default:
        return [misfit];
    }
  });
}

/** What a machine lacks of a unit's `MachineMetadata=`, line by line. */
export function everyMetadataMisfit({ requirements }: Unit, { metadata }: Pick<Machine, 'metadata'>): Misfit[] {
  const { metadata: asked, metadataTests } = requirements;
  const missing = [...asked].filter(([key, accepted]) => !isAccepted(metadata.get(key), accepted));
  const failed = metadataTests.filter((test) => !passesTest(metadata, test));
  return [
    ...missing.map(([key, accepted]): Misfit => ({ kind: 'missing-metadata', key, accepted })),
    ...failed.map((test): Misfit => ({ kind: 'failed-test', test })),
  ];
}

/** The `[X-Fleet]` option that a misfit is about; `open` and `room` are the machine's own rules. */
export type MisfitRule = 'MachineID' | 'MachineMetadata' | 'MachineOf' | 'Conflicts' | 'open' | 'room';

const ruleByKind: Readonly<Record<Misfit['kind'], MisfitRule>> = {
  'not-required-machine': 'MachineID',
  'missing-metadata': 'MachineMetadata',
  'failed-test': 'MachineMetadata',
  'missing-peer': 'MachineOf',
  conflict: 'Conflicts',
  'machine-closed': 'open',
  'machine-full': 'room',
};

/** The rule that a misfit breaks. */
export function ruleOf({ kind }: Misfit): MisfitRule {
  return ruleByKind[kind];
}

function requiredMachine({ requirements }: Unit, { id }: Machine): Misfit | undefined {
  const required = requirements.machineId;
  if (required === undefined || required === id || required === shortMachineId(id)) return undefined;
  return { kind: 'not-required-machine', required };
}

function requiredMetadata({ requirements }: Unit, { metadata }: Machine): Misfit | undefined {
  for (const [key, accepted] of requirements.metadata) {
    if (!isAccepted(metadata.get(key), accepted)) return { kind: 'missing-metadata', key, accepted };
  }
  for (const test of requirements.metadataTests) {
    if (!passesTest(metadata, test)) return { kind: 'failed-test', test };
  }
  return undefined;
}

function requiredPeers({ requirements }: Unit, _: Machine, context: MachineContext): Misfit | undefined {
  for (const peer of requirements.machineOf) if (!context.has(peer)) return { kind: 'missing-peer', peer };
  return undefined;
}

function noConflict(unit: Unit, _: Machine, context: MachineContext): Misfit | undefined {
  const other = context.findConflict(unit);
  return other === undefined ? undefined : { kind: 'conflict', with: other };
}

/** A closed machine takes nothing new, and keeps what it has. */
function openMachine({ name }: Unit, { isClosed }: Machine, context: MachineContext): Misfit | undefined {
  return isClosed && !context.has(name) ? { kind: 'machine-closed' } : undefined;
}

/** A full machine takes nothing new either. */
function roomOnMachine({ name }: Unit, { maxUnits }: Machine, context: MachineContext): Misfit | undefined {
  const isFull = maxUnits !== undefined && context.load >= maxUnits && !context.has(name);
  return isFull ? { kind: 'machine-full', maxUnits } : undefined;
}
