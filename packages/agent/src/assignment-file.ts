import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Revision } from '@flotilla/registry';
import { findText, parseJson, writeAtomic } from '@flotilla/runtime';
import { isUnitName, type UnitName } from '@flotilla/unit';
import type { KnownUnit } from './desired.js';

/** What this machine remembers of the store that it takes orders from. */
export interface Assignment {
  /** UUID of the cluster; `undefined` before the first contact. */
  readonly cluster: string | undefined;
  /** The store was seen at this revision. */
  readonly revision: Revision;
  /** Why the machine starts and stops nothing until a person says otherwise. */
  readonly frozen: string | undefined;
  /** Whether this cluster has ever given it a unit. */
  readonly hasHadUnits: boolean;
  /** The units that it was told to run. */
  readonly units: ReadonlyMap<UnitName, KnownUnit>;
}

/** Of a machine that belongs to no cluster. */
export const emptyAssignment: Assignment = {
  cluster: undefined,
  revision: 0,
  frozen: undefined,
  hasHadUnits: false,
  units: new Map(),
};

/** `assignment.json` in the state directory. */
export class AssignmentFile {
  readonly #path: string;

  constructor(stateDirectory: string) {
    this.#path = join(stateDirectory, 'assignment.json');
  }

  /** What was saved last; empty if nothing was. Who can't read to which store the machine belongs takes orders from none. */
  async load(): Promise<Assignment> {
    const text = await findText(this.#path);
    if (text === undefined) return emptyAssignment;
    return findAssignment(parseJson(text)) ?? { ...emptyAssignment, frozen: `${this.#path} is damaged` };
  }

  async save({ units, ...rest }: Assignment): Promise<void> {
    await writeAtomic(this.#path, `${JSON.stringify({ ...rest, units: Object.fromEntries(units) })}\n`);
  }

  async remove(): Promise<void> {
    await rm(this.#path, { force: true });
  }
}

/** `undefined` if this is not what {@link AssignmentFile.save} writes. */
function findAssignment(stored: unknown): Assignment | undefined {
  if (!isRecord(stored)) return undefined;
  const { cluster, revision = 0, frozen, units = {} } = stored;
  if (cluster !== undefined && typeof cluster !== 'string') return undefined;
  if (frozen !== undefined && typeof frozen !== 'string') return undefined;
  if (typeof revision !== 'number' || !isRecord(units)) return undefined;
  const known = new Map<UnitName, KnownUnit>();
  for (const [name, unit] of Object.entries(units)) {
    if (!isUnitName(name) || !isKnownUnit(unit)) return undefined;
    const order = typeof unit.order === 'number' ? unit.order : undefined;
    known.set(name, { hash: unit.hash, uid: unit.uid, isLaunched: unit.isLaunched === true, order });
  }
  return { cluster, revision, frozen, hasHadUnits: stored.hasHadUnits !== false, units: known };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isKnownUnit(value: unknown): value is KnownUnit {
  return isRecord(value) && typeof value.hash === 'string' && typeof value.uid === 'number';
}
