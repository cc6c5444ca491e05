import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Revision } from '@flotilla/registry';
import { isUnitName, type UnitHash, type UnitName } from '@flotilla/unit';
import type { KnownUnit } from './desired.js';
import { findJson, writeAtomic } from './write-atomic.js';

/** What this machine remembers of the store that it takes orders from. */
export interface Assignment {
  /** UUID of the cluster; `undefined` before the first contact. */
  readonly cluster: string | undefined;
  /** The store was seen at this revision. */
  readonly revision: Revision;
  /** Why the machine starts and stops nothing until a person says otherwise. */
  readonly frozen: string | undefined;
  /** The units that it was told to run. */
  readonly units: ReadonlyMap<UnitName, KnownUnit>;
}

const emptyAssignment: Assignment = { cluster: undefined, revision: 0, frozen: undefined, units: new Map() };

interface StoredAssignment {
  readonly cluster?: string;
  readonly revision?: number;
  readonly frozen?: string;
  readonly units?: Readonly<Record<string, { readonly hash: UnitHash; readonly uid: Revision }>>;
}

/** `assignment.json` in the state directory. */
export class AssignmentFile {
  readonly #path: string;

  constructor(stateDirectory: string) {
    this.#path = join(stateDirectory, 'assignment.json');
  }

  /** What was saved last; empty if nothing was, or if the file is damaged. */
  async load(): Promise<Assignment> {
    const found = await findJson(this.#path, (path) => readFile(path, 'utf8'));
    if (typeof found !== 'object' || found === null) return emptyAssignment;
    const { cluster, revision = 0, frozen, units = {} } = found as StoredAssignment;
    const known = new Map<UnitName, KnownUnit>();
    for (const [name, { hash, uid }] of Object.entries(units)) if (isUnitName(name)) known.set(name, { hash, uid });
    return { cluster, revision, frozen, units: known };
  }

  async save({ units, ...rest }: Assignment): Promise<void> {
    await writeAtomic(this.#path, `${JSON.stringify({ ...rest, units: Object.fromEntries(units) })}\n`);
  }

  async remove(): Promise<void> {
    await rm(this.#path, { force: true });
  }
}
