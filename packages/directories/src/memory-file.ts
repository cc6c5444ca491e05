import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { HoldReason } from '@flotilla/registry';
import { findJson, writeLasting } from '@flotilla/runtime';
import { isUnitName, type OwnerName, type UnitName } from '@flotilla/unit';
import { type DirectoryMemory, type Held, noMemory } from './brake.js';

/** Where a directory's memory outlives the process. */
export interface MemoryFile {
  /** For messages. */
  readonly path: string;
  /** `undefined` if there is none, or none that can be read. */
  load(): Promise<DirectoryMemory | undefined>;
  /** Resolves when no power cut brings the former one back. */
  save(memory: DirectoryMemory): Promise<void>;
  remove(): Promise<void>;
}

/** Keeps it in `directories/<owner>.json` in the state directory. */
export function createMemoryFile(stateDirectory: string, owner: OwnerName): MemoryFile {
  const path = join(stateDirectory, 'directories', `${owner}.json`);
  return {
    path,
    load: async () => parseMemory(await findJson(path)),
    save: (memory) => writeLasting(path, `${formatMemory(memory)}\n`),
    remove: () => rm(path, { force: true }),
  };
}

/** One line of JSON. */
export function formatMemory({ pass, place, held, confirmed, removed }: DirectoryMemory): string {
  return JSON.stringify({ pass, place, held, confirmed, removed: Object.fromEntries(removed) });
}

/** What may stand in the file, or in a part of it. */
type Field = 'pass' | 'place' | 'held' | 'confirmed' | 'removed' | 'why' | 'units';

/** What is damaged counts as not there: the directory is then taken for an older copy, which harms nothing. */
function parseMemory(found: unknown): DirectoryMemory | undefined {
  if (!isObject(found)) return undefined;
  const { pass, place, held, confirmed, removed } = found;
  if (typeof pass !== 'number' || !Number.isSafeInteger(pass)) return undefined;
  return {
    ...noMemory,
    pass,
    place: typeof place === 'string' ? place : undefined,
    held: parseHeld(held),
    confirmed: unitNames(confirmed),
    removed: new Map(
      Object.entries(isObject(removed) ? removed : {}).flatMap(([name, atMs]) =>
        isUnitName(name) && typeof atMs === 'number' ? [[name, atMs] as const] : [],
      ),
    ),
  };
}

function parseHeld(held: unknown): Held | undefined {
  if (!isObject(held)) return undefined;
  const { why: reason } = held;
  const why = holdReasons.find((each) => each === reason);
  const units = unitNames(held.units);
  return why === undefined || units.length === 0 ? undefined : { why, units };
}

const holdReasons: readonly HoldReason[] = [
  'most-gone',
  'directory-gone',
  'another-directory',
  'older-copy',
  'not-configured',
];

function unitNames(found: unknown): readonly UnitName[] {
  return Array.isArray(found) ? found.filter((name) => typeof name === 'string' && isUnitName(name)) : [];
}

function isObject(found: unknown): found is { readonly [field in Field]?: unknown } {
  return typeof found === 'object' && found !== null && !Array.isArray(found);
}
