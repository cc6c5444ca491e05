declare const brand: unique symbol;

/** A string that only a parse function may make. */
export type Branded<T, Name extends string> = T & { readonly [brand]: Name };

/** A valid unit name, type suffix included: `web@1.service`. Made by `parseUnitName`. */
export type UnitName = Branded<string, 'UnitName'>;

/** SHA-1 of a unit file's canonical text, 40 lower-case hex digits. Made by `hashUnitFile`. */
export type UnitHash = Branded<string, 'UnitHash'>;

/** One `Name=Value` line (continuation lines included) and the section that it stands in. */
export interface UnitOption {
  readonly section: string;
  readonly name: string;
  readonly value: string;
}

/**
 * The options of a unit file: sections in order of first appearance, options in file order. Names may repeat; an empty
 * value resets a list in systemd.
 */
export interface UnitFile {
  readonly options: readonly UnitOption[];
}

/** How a machine is chosen among those that fit and are preferred equally. */
export type Strategy = (typeof strategies)[number];

/** What `Strategy=` may say. */
export const strategies = ['spread', 'binpack', 'random'] as const;

/** One test of a machine's metadata: `k=v k!=v k<n k<=n k>n k>=n k !k`. */
export type MetadataTest =
  /** A machine without the key passes `!=`. */
  | { readonly op: '=' | '!='; readonly key: string; readonly value: string }
  /** A machine whose value is no number does not pass. */
  | { readonly op: '<' | '<=' | '>' | '>='; readonly key: string; readonly value: number }
  | { readonly op: 'has' | 'lacks'; readonly key: string };

/** Something that is wished for and not demanded. Weights are whole numbers from 1 to 1000. */
export interface MetadataPreference {
  readonly weight: number;
  readonly test: MetadataTest;
}

/** Each unit on a machine whose name matches `glob` counts `weight` against that machine. */
export interface ConflictPreference {
  readonly weight: number;
  readonly glob: string;
}

/** What `[X-Fleet]` asks of a machine, specifiers expanded. Empty lists and `undefined` ask nothing. */
export interface Requirements {
  /** `Global=`: one copy on every fitting machine. */
  readonly isGlobal: boolean;
  /** `MachineID=`: the full machine ID or its first 8 characters. */
  readonly machineId: string | undefined;
  /** `MachineMetadata=key=value`: accepted values by key; every key must match, any of its values will do. */
  readonly metadata: ReadonlyMap<string, readonly string[]>;
  /** `MachineMetadata=` with any other operator; every one must hold. */
  readonly metadataTests: readonly MetadataTest[];
  /** `MachineOf=`: names of the units that must be on the same machine. */
  readonly machineOf: readonly string[];
  /** `Conflicts=`: globs on the names of units that must not be on the same machine. */
  readonly conflicts: readonly string[];
  /** `Replaces=`: globs on the names of units that are moved away from this unit's machine. */
  readonly replaces: readonly string[];
  /** `PreferMachineMetadata=<weight>:<test>`. */
  readonly preferMetadata: readonly MetadataPreference[];
  /** `PreferConflicts=<weight>:<glob>`. */
  readonly preferConflicts: readonly ConflictPreference[];
  /** `SpreadOver=`: metadata keys over whose values the instances of a template are evened out, the first key first. */
  readonly spreadOver: readonly string[];
  /** `Strategy=`: instead of the cluster's. */
  readonly strategy: Strategy | undefined;
  /** `OnPartition=stop`: it stops when its machine has lost contact, killed when that takes longer; `undefined`: it goes on. */
  readonly partitionStop: PartitionStop | undefined;
  /** `Update=rolling`: its copies, or the instances of its template, get new content one after the other; else all at once. */
  readonly isRolling: boolean;
}

/** How a unit stops whose machine has lost contact with its cluster. */
export interface PartitionStop {
  /** `OnPartitionStopSec=`, in milliseconds: what has not stopped so long after contact was lost is killed. */
  readonly afterMs: number;
}

/** Asks nothing. */
export const noRequirements: Requirements = {
  isGlobal: false,
  machineId: undefined,
  metadata: new Map(),
  metadataTests: [],
  machineOf: [],
  conflicts: [],
  replaces: [],
  preferMetadata: [],
  preferConflicts: [],
  spreadOver: [],
  strategy: undefined,
  partitionStop: undefined,
  isRolling: false,
};
