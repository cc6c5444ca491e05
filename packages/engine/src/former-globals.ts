import type { MachineId } from '@flotilla/cluster';
import { maxTransactionSize, parseKey, type Revision, ranges, type Store } from '@flotilla/registry';
import type { UnitName } from '@flotilla/unit';

/**
 * The non-global units that machines may still run as global ones. No schedule key tells of those copies, so they have
 * to be looked for, once, before anything is decided about the unit.
 */
export class FormerGlobals {
  readonly #globals = new Set<UnitName>();
  /** With the revision of the unit that made it one. */
  readonly #suspects = new Map<UnitName, Revision>();

  get suspects(): ReadonlyMap<UnitName, Revision> {
    return this.#suspects;
  }

  note(name: UnitName, { isGlobal, revision }: { readonly isGlobal: boolean; readonly revision: Revision }): void {
    if (isGlobal) {
      this.#globals.add(name);
      this.#suspects.delete(name);
    } else if (this.#globals.delete(name)) this.suspect(name, revision);
  }

  /** The unit is destroyed; one of its name that is made later may meet its copies. */
  noteDestroyed(name: UnitName): void {
    if (this.#suspects.delete(name)) this.#globals.add(name);
  }

  suspect(name: UnitName, revision: Revision): void {
    this.#suspects.set(name, revision);
  }

  /** The copies were looked for. Whether that settles it: not if the unit has been global again since. */
  settle(name: UnitName, revision: Revision): boolean {
    return this.#suspects.get(name) === revision && this.#suspects.delete(name);
  }
}

/** The machines that report each unit, for as many units as were read before `signal` aborted. */
export async function findCopies(
  store: Store,
  names: readonly UnitName[],
  signal: AbortSignal,
): Promise<ReadonlyMap<UnitName, readonly MachineId[]>> {
  const found = new Map<UnitName, MachineId[]>();
  for (let at = 0; at < names.length && !signal.aborted; at += maxTransactionSize) {
    const asked = names.slice(at, at + maxTransactionSize);
    const { ranges: answers } = await store.transact({
      success: asked.map((name) => ({ kind: 'range', ...ranges.statesOf(name), keysOnly: true })),
    });
    for (const [index, name] of asked.entries()) found.set(name, (answers[index]?.kvs ?? []).flatMap(machineOfRow));
  }
  return found;
}

function machineOfRow({ key }: { readonly key: string }): MachineId[] {
  const parsed = parseKey(key);
  return parsed?.kind === 'state' ? [parsed.machine] : [];
}
