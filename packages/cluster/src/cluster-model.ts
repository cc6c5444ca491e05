import type { Branded, Requirements, Strategy, UnitHash, UnitName } from '@flotilla/unit';

/** A machine's ID, as in its `/etc/machine-id`. Made by `parseMachineId`. */
export type MachineId = Branded<string, 'MachineId'>;

/** What was asked of a unit, and where it is: known only; placed and loaded; placed, loaded and started once. */
export type LaunchState = 'inactive' | 'loaded' | 'launched';

/** A unit as scheduling sees it. */
export interface Unit {
  readonly name: UnitName;
  readonly hash: UnitHash;
  readonly requirements: Requirements;
  readonly desiredState: LaunchState;
  /** The revision at which it was made: of a global unit and another one that conflict, the earlier made may stay. */
  readonly createdAt: number;
  /**
   * Where it runs although it is placed nowhere, as of a revision: there it is to be placed, if it fits and the machine has
   * not been away since.
   */
  readonly runsOn?: { readonly machine: MachineId; readonly asOf: number };
}

/** A host whose lease is alive. */
export interface Machine {
  readonly id: MachineId;
  /** Its own metadata with what was set through the API laid over it. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Takes no new units: frozen, or (later) cordoned. */
  readonly isClosed: boolean;
  /** The revision at which it came. @default long ago */
  readonly since?: number;
  /** It takes new units while it has fewer than this: non-global ones and the globals that run there. @default no limit */
  readonly maxUnits?: number | undefined;
}

/** Where a unit belongs. */
export interface Placement {
  readonly machine: MachineId;
  /** The revision at which it was placed: of two units on a machine that conflict, the later placed one goes. */
  readonly since: number;
}

/** A unit that stops by itself where contact was lost. */
export interface StoppingUnit {
  readonly machine: MachineId;
  /** By then it is down there, in epoch milliseconds. */
  readonly untilMs: number;
}

/** Everything that a scheduling decision depends on, read at one revision. */
export interface Cluster {
  readonly units: ReadonlyMap<UnitName, Unit>;
  /** Where each placed non-global unit belongs. A machine named here need not be alive. */
  readonly placements: ReadonlyMap<UnitName, Placement>;
  /** Units that were told to leave a machine and have not yet done so; they may not be placed before. */
  readonly leaving: ReadonlyMap<UnitName, ReadonlySet<MachineId>>;
  readonly machines: ReadonlyMap<MachineId, Machine>;
  /** Machines whose lease is over and that nothing is concluded from yet: their units stay theirs. */
  readonly away: ReadonlySet<MachineId>;
  /** Units with `OnPartition=stop` that may still be up on a machine that is gone: they are moved and placed nowhere. */
  readonly stopping: ReadonlyMap<UnitName, StoppingUnit>;
  /** For units that do not say otherwise. */
  readonly strategy: Strategy;
  /** What exists but can't be read: nothing is decided about such a unit, nor about a unit on such a machine. */
  readonly unreadable: {
    readonly units: ReadonlySet<UnitName>;
    readonly machines: ReadonlySet<MachineId>;
  };
}
