import type { Strategy, UnitName } from '@flotilla/unit';
import type { LaunchState, MachineId } from './cluster-model.js';
import type { Misfit } from './misfits.js';
import type { WaitReason } from './wait-reason.js';

/**
 * How a unit stands with the scheduler. `placed`: it has a machine; `waiting`: it is to have one; `global`: it is to run on
 * all that fit; `inactive` and `template`: it is to run nowhere; `unreadable`: nothing is decided about it, as its record
 * or its file can't be read.
 */
export type UnitStanding = 'placed' | 'waiting' | 'global' | 'inactive' | 'template' | 'unreadable';

/** A unit against one machine. */
export interface MachineExplanation {
  readonly machine: MachineId;
  /** How many units count there: non-global ones that are placed there, this one too, and the globals that run there. */
  readonly load: number;
  readonly maxUnits: number | undefined;
  /** The unit is placed there or, a global one, belongs there. */
  readonly isHere: boolean;
  /** All of them, in the order of the rules; none: the unit may run there. */
  readonly misfits: readonly Misfit[];
  /** What the unit's preferences make of it; `undefined` if it has none. */
  readonly preference: number | undefined;
  /** In the order in which the machines that the unit fits would be chosen, from 1 on; `undefined` if none is to be chosen. */
  readonly rank: number | undefined;
}

/** Why a unit is where it is, or nowhere: every machine with every rule. */
export interface UnitExplanation {
  readonly kind: 'unit';
  readonly unit: UnitName;
  /** `undefined` if its record can't be read. */
  readonly desiredState: LaunchState | undefined;
  readonly standing: UnitStanding;
  /** Where it is placed. That machine need not be alive. */
  readonly placement: MachineId | undefined;
  /** The machine that it is placed on is away, and it is too early to conclude anything from that. */
  readonly isHeldBack: boolean;
  /** Machines that it was told to leave and has not left, by ID. */
  readonly leaving: readonly MachineId[];
  /** Why it waits; `undefined` if it does not, or is about to be placed. */
  readonly reason: WaitReason | undefined;
  /** Since when it waits, in epoch milliseconds, as far as that is known. */
  readonly waitingSince: number | undefined;
  /** Its `[X-Fleet]` section, a line each, specifiers expanded. */
  readonly requirements: readonly string[];
  /** How one of several machines is chosen: the unit's own strategy, or the cluster's. */
  readonly strategy: Strategy;
  /** All that are alive, by ID. */
  readonly machines: readonly MachineExplanation[];
}

/** The cluster is so large that only the leader, which follows it, can tell. */
export interface LeaderExplains {
  readonly kind: 'leader-explains';
  /** `undefined` if nobody leads. The address is empty if unknown. */
  readonly leader: { readonly machine: MachineId; readonly address: string } | undefined;
}

/** There is no such unit. */
export interface UnknownUnit {
  readonly kind: 'unknown';
  /** The name most like it, if one is like it at all. */
  readonly nearest: UnitName | undefined;
}
