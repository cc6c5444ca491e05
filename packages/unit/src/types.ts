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

/** What `[X-Fleet]` asks of a machine, specifiers expanded. Empty lists and `undefined` ask nothing. */
export interface Requirements {
  /** `Global=`: one copy on every fitting machine. */
  readonly isGlobal: boolean;
  /** `MachineID=`: the full machine ID or its first 8 characters. */
  readonly machineId: string | undefined;
  /** `MachineMetadata=`: accepted values by key; every key must match, any of its values will do. */
  readonly metadata: ReadonlyMap<string, readonly string[]>;
  /** `MachineOf=`: names of the units that must be on the same machine. */
  readonly machineOf: readonly string[];
  /** `Conflicts=`: globs on the names of units that must not be on the same machine. */
  readonly conflicts: readonly string[];
  /** `Replaces=`: globs on the names of units that are moved away from this unit's machine. */
  readonly replaces: readonly string[];
}
