import type { OwnerName, UnitName } from '@flotilla/unit';

/** `dirs/<owner>/<claimant>/<unit>`: what this claimant last saw of the unit; outlives leases. */
export interface ClaimRecord {
  /** SHA-256 of the unit's bytes as they were seen, in hex. */
  readonly file: string;
  /** The entry of the folder that it was read from. */
  readonly source: string;
}

/** Why a host does not remove units although their files are gone. */
export type HoldReason = 'most-gone' | 'directory-gone' | 'another-directory' | 'older-copy' | 'not-configured';

/** Units that a host would remove, and does not before somebody says that it is meant. */
export interface HeldRemovals {
  readonly why: HoldReason;
  /** What a confirmation is for: exactly these units. */
  readonly digest: string;
  /** Epoch milliseconds. */
  readonly since: number;
  /** Sorted; the first 100. */
  readonly units: readonly UnitName[];
  readonly count: number;
}

/** What is wrong with a folder's entry. */
export interface DirectoryProblem {
  readonly source: string;
  readonly line?: number;
  readonly message: string;
}

/** A unit that a folder has and that is somebody else's. */
export interface DirectoryConflict {
  readonly unit: UnitName;
  /** @default whoever uses the API */
  readonly owner?: OwnerName;
}

/** The last time that a claimant changed something in the cluster. */
export interface DirectoryChange {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly created: number;
  readonly changed: number;
  readonly removed: number;
  /** The first 10. */
  readonly units: readonly UnitName[];
}

/** `dir-hosts/<owner>/<claimant>`: how a claimant fares with its directory; outlives leases. */
export interface DirectoryHostRecord {
  /** Empty: `fleetctl apply`. */
  readonly path: string;
  /** The number of the last pass that changed something. */
  readonly pass: number;
  /** How many units it claims. */
  readonly units: number;
  readonly isThere: boolean;
  /** The first 100. */
  readonly problems: readonly DirectoryProblem[];
  readonly problemCount: number;
  /** The first 100. */
  readonly conflicts: readonly DirectoryConflict[];
  readonly conflictCount: number;
  readonly held?: HeldRemovals;
  readonly lastChange?: DirectoryChange;
}

/** The record of a claimant that has only joined. */
export function newDirectoryHost(path: string, isThere: boolean): DirectoryHostRecord {
  return { path, pass: 0, units: 0, isThere, problems: [], problemCount: 0, conflicts: [], conflictCount: 0 };
}

/** `dir-owners/<owner>`: only its revision says something. */
export type DirectoryOwnerRecord = Readonly<Record<string, never>>;

/** `dir-orders/<owner>/<machine>`: a person says that what the machine holds back is meant. */
export interface DirectoryOrderRecord {
  /** The {@link HeldRemovals.digest} that it is about. */
  readonly confirm: string;
}
