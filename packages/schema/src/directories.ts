import * as z from 'zod';

/** The answer to `GET /fleet/v2/dirs`. */
export interface DirectoriesAnswer {
  /** By name. */
  readonly directories: readonly DirectoryEntity[];
}

/** A watched directory, or what `fleetctl apply --owner` was given: on several hosts it is one. */
export interface DirectoryEntity {
  /** By claimant. */
  readonly hosts: readonly DirectoryHostEntity[];
  readonly name: string;
}

/** A directory on one host. Its lists and counts are always there; a list ends at 100 entries, its count does not. */
export interface DirectoryHostEntity {
  /** Absent if the machine is not in the cluster, or unknown. */
  readonly address?: string;
  /** A machine's ID, or `apply`: what `fleetctl apply` was given. */
  readonly claimant: string;
  readonly conflictCount: number;
  /** Units that the directory has a file of and that are not its own. */
  readonly conflicts: readonly DirectoryConflictEntity[];
  /** What is not done before a person confirms it. */
  readonly held?: HeldRemovalsEntity;
  /** The machine is not in the cluster. What it wants stays until it is forgotten. */
  readonly isLost?: true;
  /** Whether the folder can be read; always so for `apply`. */
  readonly isThere: boolean;
  readonly lastChange?: DirectoryChangeEntity;
  /** Empty for `apply`. */
  readonly path: string;
  readonly problemCount: number;
  /** By source, then line. */
  readonly problems: readonly DirectoryProblemEntity[];
  /** How many units it has files of. */
  readonly units: number;
}

/** Something that is wrong with a file. */
export interface DirectoryProblemEntity {
  /** From 1. */
  readonly line?: number;
  readonly message: string;
  /** The folder's entry that it is about. */
  readonly source: string;
}

export interface DirectoryConflictEntity {
  /** Whose the unit is. Absent: the API's users'. */
  readonly owner?: string;
  readonly unit: string;
}

/** Units that are gone from a directory, and are not destroyed before a person says so. */
export interface HeldRemovalsEntity {
  readonly count: number;
  /** What a confirmation counts for. */
  readonly digest: string;
  /** In epoch milliseconds. */
  readonly since: number;
  /** By name, the first 100. */
  readonly units: readonly string[];
  readonly why: HeldRemovalsWord;
}

/**
 * Why removals are held back: more than half of the files are gone; the folder is; another one is in its place, without
 * any of them; the disk is older than the cluster's records; the host's configuration does not name the directory any more.
 */
export type HeldRemovalsWord = 'most-gone' | 'directory-gone' | 'another-directory' | 'older-copy' | 'not-configured';

/** The last time that a directory changed units. */
export interface DirectoryChangeEntity {
  /** In epoch milliseconds. */
  readonly at: number;
  readonly changed: number;
  readonly created: number;
  readonly removed: number;
  /** The first ten of them. */
  readonly units: readonly string[];
}

/** The answer to `GET /fleet/v2/dirs/<name>`. */
export interface DirectoryDetailEntity extends DirectoryEntity {
  /** What the hosts want, by name. */
  readonly unitList: readonly DirectoryUnitEntity[];
}

/** A unit of a directory. */
export interface DirectoryUnitEntity {
  /** Who wants it. */
  readonly claimants: readonly DirectoryClaimantEntity[];
  readonly name: string;
}

/** Who wants a unit. */
export interface DirectoryClaimantEntity {
  /** A machine's ID, or `apply`. */
  readonly claimant: string;
  /** What it has is not what the cluster has. */
  readonly isBehind?: true;
  /** The folder's entry that it was read from. */
  readonly source: string;
}

const problem = z.object({ line: z.int().exactOptional(), message: z.string(), source: z.string() });
const conflict = z.object({ owner: z.string().exactOptional(), unit: z.string() });
const held = z.object({
  count: z.int(),
  digest: z.string(),
  since: z.number(),
  units: z.array(z.string()),
  why: z.enum(['most-gone', 'directory-gone', 'another-directory', 'older-copy', 'not-configured']),
});
const change = z.object({
  at: z.number(),
  changed: z.int(),
  created: z.int(),
  removed: z.int(),
  units: z.array(z.string()),
});
const host = z.object({
  address: z.string().exactOptional(),
  claimant: z.string(),
  conflictCount: z.int(),
  conflicts: z.array(conflict),
  held: held.exactOptional(),
  isLost: z.literal(true).exactOptional(),
  isThere: z.boolean(),
  lastChange: change.exactOptional(),
  path: z.string(),
  problemCount: z.int(),
  problems: z.array(problem),
  units: z.int(),
});

/** Checks a {@link DirectoryEntity}. */
export const directorySchema = z.object({
  hosts: z.array(host),
  name: z.string(),
}) satisfies z.ZodType<DirectoryEntity>;

/** Checks a {@link DirectoriesAnswer}. */
export const directoriesAnswerSchema = z.object({
  directories: z.array(directorySchema),
}) satisfies z.ZodType<DirectoriesAnswer>;

/** Checks a {@link DirectoryDetailEntity}. */
export const directoryDetailSchema = directorySchema.extend({
  unitList: z.array(
    z.object({
      claimants: z.array(
        z.object({ claimant: z.string(), isBehind: z.literal(true).exactOptional(), source: z.string() }),
      ),
      name: z.string(),
    }),
  ),
}) satisfies z.ZodType<DirectoryDetailEntity>;
