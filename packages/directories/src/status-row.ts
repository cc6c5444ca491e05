import type {
  DirectoryChange,
  DirectoryConflict,
  DirectoryHostRecord,
  DirectoryProblem,
  HeldRemovals,
} from '@flotilla/registry';
import { digestOf, type Held } from './brake.js';

/** More than these are counted, not named: a record must not grow with the directory. */
const mostNamed = 100;

/** What a host has to say of its directory. */
export interface DirectoryStatus {
  readonly path: string;
  readonly pass: number;
  /** How many units it claims. */
  readonly units: number;
  readonly isThere: boolean;
  readonly problems: readonly DirectoryProblem[];
  readonly conflicts: readonly DirectoryConflict[];
  readonly held: Held | undefined;
  readonly lastChange: DirectoryChange | undefined;
}

/** The record that says so; a hold that `before` tells of keeps its time. `nowMs`: epoch milliseconds. */
export function toRow(
  status: DirectoryStatus,
  { before, nowMs }: { readonly before: DirectoryHostRecord; readonly nowMs: number },
): DirectoryHostRecord {
  const { held, lastChange, problems, conflicts, ...plain } = status;
  return {
    ...plain,
    problems: problems.slice(0, mostNamed),
    problemCount: problems.length,
    conflicts: conflicts.slice(0, mostNamed),
    conflictCount: conflicts.length,
    ...(held !== undefined && { held: toHeldRemovals(held, before.held, nowMs) }),
    ...(lastChange !== undefined && { lastChange }),
  };
}

/** Whether two records say the same. */
export function isSameRow(one: DirectoryHostRecord, other: DirectoryHostRecord): boolean {
  return sortedJson(one) === sortedJson(other);
}

function toHeldRemovals({ why, units }: Held, before: HeldRemovals | undefined, nowMs: number): HeldRemovals {
  const digest = digestOf(units);
  const since = before?.digest === digest && before.why === why ? before.since : nowMs;
  return { why, digest, since, units: units.slice(0, mostNamed), count: units.length };
}

/** The order of fields means nothing. */
function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_, field: unknown) =>
    typeof field === 'object' && field !== null && !Array.isArray(field)
      ? Object.fromEntries(Object.entries(field).sort(([one], [other]) => (one < other ? -1 : 1)))
      : field,
  );
}
