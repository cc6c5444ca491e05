import type { Machine, MachineId, Placement, Unit } from '@flotilla/cluster';
import type { UnitName } from '@flotilla/unit';
import type { GlobNode } from './glob-book.js';
import type { UnscheduleReason } from './plan.js';

/** A unit in the index, and what it has to do with others. Nodes stay when their unit goes. */
export interface UnitNode {
  readonly name: UnitName;
  /** Its name up to `@`, `web@` of `web@1.service`; `undefined` without one. */
  readonly stem: string | undefined;
  unit: Unit | undefined;
  isUnreadable: boolean;
  /** What is decided about it could not be written for now. */
  isHeld: boolean;
  /** Whether a machine is to be found for it: it is wanted, and not global. */
  needsMachine: boolean;
  /** Whether any machine with room would do. */
  asksNothing: boolean;
  placement: Placement | undefined;
  /** The machine whose resident it is. */
  home: MachineNode | undefined;
  /** Where it is in the residents of its machine. */
  seat: number;
  leaving: ReadonlySet<MachineId> | undefined;
  /** On how many machines it runs, if it is global. */
  copies: number;
  /** Another state of the cluster might give it a machine, or another one, or another reason to wait. */
  isSeeking: boolean;
  /** Of a seeking unit: something has changed for the better since it found nothing. */
  mayFit: boolean;
  /** The globs that match its name, whoever uses them. */
  matchedBy: readonly GlobNode[];
  /** The globs that it uses, by option. */
  conflicts: readonly GlobNode[];
  replaces: readonly GlobNode[];
  avoids: readonly GlobNode[];
  /** The names in its `MachineOf=`, as they were entered. */
  peers: readonly string[];
  /** What the pass that is under way has done to it. */
  change: Change | undefined;
}

/** What a pass has done to a unit. */
export interface Change {
  /** How it was before. */
  readonly placement: Placement | undefined;
  readonly leaving: ReadonlySet<MachineId> | undefined;
  /** Why it was taken off the machine that it had before. */
  why: UnscheduleReason | undefined;
  /** How often it was placed. */
  placings: number;
}

/** A machine in the index, also one that has gone, as long as there are units that belong to it. */
export interface MachineNode {
  readonly id: MachineId;
  /** Only of a live one whose record can be read: what may be chosen. */
  machine: Machine | undefined;
  /** Wanted non-global units that are placed there, in any order. An array, as a set takes several times as long. */
  readonly residents: UnitNode[];
  /** Residents that others there replace, and that stay until there is a place for them. */
  readonly replaced: Set<UnitNode>;
  /** Units that were told to leave it, and have not answered. */
  readonly leavers: Set<UnitNode>;
  /** Global units that run there. */
  globals: readonly UnitNode[];
  /** Residents and globals. */
  load: number;
  /** The placement of what is placed there in the pass that is under way: one for all, as there may be a million. */
  readonly newPlacement: Placement;
}

const none: readonly never[] = [];

export function newUnitNode(name: UnitName): UnitNode {
  const at = name.indexOf('@');
  return {
    name,
    stem: at < 0 ? undefined : name.slice(0, at + 1),
    unit: undefined,
    isUnreadable: false,
    isHeld: false,
    needsMachine: false,
    asksNothing: false,
    placement: undefined,
    home: undefined,
    seat: -1,
    leaving: undefined,
    copies: 0,
    isSeeking: false,
    mayFit: false,
    matchedBy: none,
    conflicts: none,
    replaces: none,
    avoids: none,
    peers: none,
    change: undefined,
  };
}
