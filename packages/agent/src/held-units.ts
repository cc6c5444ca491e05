import type { HeldRecord } from '@flotilla/registry';
import type { UnitFileHere, UnitStatus } from '@flotilla/systemd';
import { parseRequirements, parseUnitFile, type UnitName } from '@flotilla/unit';
import { motion, type StartedRecord } from './current.js';
import type { KnownUnit } from './desired.js';

/** What a frozen machine knows of what it has, each by unit name. */
export interface HeldSources {
  readonly files: ReadonlyMap<UnitName, UnitFileHere>;
  readonly contents: ReadonlyMap<UnitName, Uint8Array>;
  readonly statuses: ReadonlyMap<UnitName, UnitStatus>;
  readonly started: ReadonlyMap<UnitName, StartedRecord>;
  readonly known: ReadonlyMap<UnitName, KnownUnit>;
}

/**
 * The names of the files that the agent has put here. If nobody knows any more what it was told to run, they are all taken
 * for its own: the directory is.
 */
export function ownFiles(
  { files, started, known }: Pick<HeldSources, 'files' | 'started' | 'known'>,
  isLost: boolean,
): UnitName[] {
  return [...files.keys()].filter((name) => isLost || known.has(name) || started.has(name)).sort();
}

/**
 * What the machine has of each of `names`, from the disk and from systemd. A unit whose file does not parse is missing: no
 * store would take it.
 */
export function heldUnits(names: readonly UnitName[], sources: HeldSources): Map<UnitName, HeldRecord> {
  const held = new Map<UnitName, HeldRecord>();
  for (const name of names) {
    const file = sources.files.get(name);
    const isGlobal = findGlobal(name, sources.contents.get(name));
    if (file?.hash === undefined || isGlobal === undefined) continue;
    const desiredState = isLaunched(name, sources) ? 'launched' : 'loaded';
    held.set(name, { hash: file.hash, file: file.sha256, desiredState, isGlobal });
  }
  return held;
}

/** After a reboot systemd knows nothing of it; the order to start it is on disk. */
function isLaunched(name: UnitName, { statuses, started, known }: HeldSources): boolean {
  const status = statuses.get(name);
  const isRunning = status !== undefined && motion(status) === 'running';
  return isRunning || started.has(name) || known.get(name)?.isLaunched === true;
}

/** `undefined`: the file can't be read. */
function findGlobal(name: UnitName, content: Uint8Array | undefined): boolean | undefined {
  if (content === undefined) return undefined;
  try {
    return parseRequirements({ name, file: parseUnitFile(content, name), allowUnknown: true }).isGlobal;
  } catch {
    return undefined;
  }
}
