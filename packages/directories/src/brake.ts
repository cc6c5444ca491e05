import { createHash } from 'node:crypto';
import type { HoldReason } from '@flotilla/registry';
import type { UnitName } from '@flotilla/unit';

/** Of fewer units than this any number may go. */
const fewestBraked = 4;
/** Removals that are no further apart belong together. */
const togetherMs = 60_000;

/** Removals that are held back, in order of names. */
export interface Held {
  readonly why: HoldReason;
  readonly units: readonly UnitName[];
}

/** What a host has to know of a directory although its process is a new one. */
export interface DirectoryMemory {
  /** Number of the last pass that may have changed something. */
  readonly pass: number;
  /** Device, inode and birth of the directory when it was last found as it should be. */
  readonly place: string | undefined;
  /** What is held back until the files are there again, or somebody has said that it is meant. */
  readonly held: Held | undefined;
  /** Removals of which somebody has said so. */
  readonly confirmed: readonly UnitName[];
  /** What was removed lately without that, and when, in epoch milliseconds. */
  readonly removed: ReadonlyMap<UnitName, number>;
}

export const noMemory: DirectoryMemory = {
  pass: 0,
  place: undefined,
  held: undefined,
  confirmed: [],
  removed: new Map(),
};

/** What is known of a directory when removals are weighed. */
export interface Weighed {
  /** What is claimed. */
  readonly claims: ReadonlyMap<UnitName, unknown>;
  /** What of that is gone, in order of names; all of it if the directory is. */
  readonly gone: readonly UnitName[];
  /** What of it may be gone: that is not settled yet. */
  readonly unsettled: readonly UnitName[];
  /** What of it has a file that is broken. */
  readonly broken: readonly UnitName[];
  /** Device, inode and birth; or why there is no directory. */
  readonly place: string | { readonly why: 'directory-gone' | 'not-configured' };
  /** Whether all that was seen of the directory counts already. */
  readonly isSettled: boolean;
  /** Whether what is on this disk is older than what this host has told of it. */
  readonly isOlderCopy: boolean;
  /** Epoch milliseconds. */
  readonly nowMs: number;
}

/** What may go, and what may not. */
export interface Braked {
  /** In order of names. */
  readonly drops: readonly UnitName[];
  readonly held: Held | undefined;
  /** What to know from now on, `drops` included. */
  readonly memory: DirectoryMemory;
}

/**
 * Holds removals back that look as if nobody had meant them. What is held stays so until its file is there again, or it is among
 * `memory.confirmed`; what is held only because there is no directory, until there is one.
 */
export function brake(memory: DirectoryMemory, weighed: Weighed): Braked {
  const { gone, unsettled, place, isOlderCopy, nowMs } = weighed;
  const isMissing = new Set([...gone, ...unsettled]);
  const confirmed = new Set(memory.confirmed.filter((name) => isMissing.has(name)));
  const isOpen = (name: UnitName) => !confirmed.has(name);
  const open = gone.filter(isOpen);
  const before = new Set(memory.held?.units);
  const why = whyHeld(memory, weighed, open);
  const heldNow = why === undefined ? open.filter((name) => before.has(name)) : open;
  const units = [...heldNow, ...unsettled.filter((name) => (isOlderCopy || before.has(name)) && isOpen(name))].sort();
  const isNews = typeof place !== 'string' || units.some((name) => !before.has(name));
  const held = hold(isNews ? why : (memory.held?.why ?? why), units);

  const stays = new Set(units);
  const drops = gone.filter((name) => !stays.has(name));
  const removed = new Map([...memory.removed].filter(([, atMs]) => Math.abs(nowMs - atMs) < togetherMs));
  for (const name of drops.filter(isOpen)) removed.set(name, nowMs);
  return { drops, held, memory: { ...remember(memory, weighed, held), confirmed: [...confirmed], removed } };
}

/** What to know of the place, and of what is held back. */
function remember(memory: DirectoryMemory, weighed: Weighed, held: Held | undefined): DirectoryMemory {
  const { broken, claims, place, isSettled } = weighed;
  const before = memory.held?.units ?? [];
  if (typeof place !== 'string')
    return {
      ...memory,
      held: hold(
        memory.held?.why,
        before.filter((name) => claims.has(name)),
      ),
    };
  // What is broken is told as broken; when it goes, it is held again.
  const brokenBefore = before.filter((name) => broken.includes(name));
  return {
    ...memory,
    place: isSettled && !isEmptied(memory, weighed) ? place : memory.place,
    held: hold(held?.why ?? memory.held?.why, [...(held?.units ?? []), ...brokenBefore].sort()),
  };
}

/** What a confirmation is for: exactly these units. */
export function digestOf(units: readonly UnitName[]): string {
  return createHash('sha256').update(units.join('\n')).digest('hex').slice(0, 16);
}

/** Why what is gone may not go now; the first reason that holds. */
function whyHeld(memory: DirectoryMemory, weighed: Weighed, open: readonly UnitName[]): HoldReason | undefined {
  const { claims, gone, place, isOlderCopy, nowMs } = weighed;
  if (typeof place !== 'string') return place.why;
  if (isOlderCopy) return 'older-copy';
  if (isEmptied(memory, weighed)) return 'another-directory';
  const lately = [...memory.removed].filter(
    ([name, atMs]) => !claims.has(name) && Math.abs(nowMs - atMs) < togetherMs,
  ).length;
  const total = claims.size - (gone.length - open.length) + lately;
  return total >= fewestBraked && (open.length + lately) * 2 > total ? 'most-gone' : undefined;
}

/** Whether another directory stands where the one was that had the files, and has none of them. */
function isEmptied(memory: DirectoryMemory, { claims, gone, unsettled, place }: Weighed): boolean {
  const isElsewhere = memory.place !== undefined && place !== memory.place;
  return isElsewhere && claims.size > 0 && gone.length + unsettled.length === claims.size;
}

function hold(why: HoldReason | undefined, units: readonly UnitName[]): Held | undefined {
  return why === undefined || units.length === 0 ? undefined : { why, units };
}
