import type { UnitEntity, UnitStateEntity } from '@flotilla/schema';

/** How a unit takes to being run. Time is counted in requests that read, so that nothing depends on a clock. */
export interface Temper {
  /** Reads until it is where it is wanted. @default 2 */
  readonly delay?: number;
  /** What systemd says when it is started, in turn, one a read; the last one stays. @default active/running */
  readonly started?: readonly (readonly [active: string, sub: string])[];
  /** It fits no machine, and this is why. */
  readonly reason?: string;
  /** What the agent says went wrong. */
  readonly error?: string;
  /** What the agent says that it waits for. */
  readonly waitsFor?: string;
}

/** A unit that is registered, or going. */
export interface Entry {
  unit: UnitEntity;
  states: UnitStateEntity[];
  order: number;
  /** What happens at which read. */
  due: { at: number; happen: () => void }[];
}

/** Since when units wait that do. */
export const waitingSince = Date.parse('2026-11-22T12:00:00Z');

/** By name. */
export function sorted(entries: ReadonlyMap<string, Entry>): Entry[] {
  return [...entries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
}
