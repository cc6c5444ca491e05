import type { DirectoryConflict } from '@flotilla/registry';
import type { OwnerName, UnitName } from '@flotilla/unit';

/** How soon a unit that is somebody else's, or could not be written, is looked at again. Taste. */
const firstRetryMs = 15_000;
/** How rarely at last what can't be written is tried again. */
const lastRetryMs = 300_000;

/** Why a unit is not as the folder has it. */
export type Setback =
  | { readonly kind: 'conflict'; readonly owner: OwnerName | undefined }
  | { readonly kind: 'failure'; readonly source: string; readonly message: string };

interface Entry {
  readonly setback: Setback;
  /** What was tried: another one is tried at once. */
  readonly tried: string;
  readonly failures: number;
  readonly retryAtMs: number;
}

/** Units that can't be as a folder has them for now, and when to try again; times are of the monotonic clock. */
export class Setbacks {
  readonly #entries = new Map<UnitName, Entry>();

  note(name: UnitName, { setback, tried, nowMs }: { setback: Setback; tried: string; nowMs: number }): void {
    const before = this.#entries.get(name);
    const isAgain = before?.tried === tried && before.setback.kind === setback.kind;
    const failures = isAgain ? before.failures + 1 : 1;
    const waitMs =
      setback.kind === 'conflict' ? firstRetryMs : Math.min(firstRetryMs * 2 ** (failures - 1), lastRetryMs);
    this.#entries.set(name, { setback, tried, failures, retryAtMs: nowMs + waitMs });
  }

  /** What is to become of a unit: `wait`, `try` it, or `ask` first whose it is by now. */
  adviceOn(
    name: UnitName,
    { tried, nowMs }: { readonly tried: string; readonly nowMs: number },
  ): 'wait' | 'ask' | 'try' {
    const entry = this.#entries.get(name);
    if (entry === undefined || entry.tried !== tried) return 'try';
    if (entry.retryAtMs > nowMs) return 'wait';
    return entry.setback.kind === 'conflict' ? 'ask' : 'try';
  }

  /** The owners of units may be others by now. Tells whether there are any units of others. */
  askAgain(): boolean {
    for (const [name, entry] of this.#entries)
      if (entry.setback.kind === 'conflict') this.#entries.set(name, { ...entry, retryAtMs: Number.NEGATIVE_INFINITY });
    return this.conflicts.length > 0;
  }

  forget(name: UnitName): void {
    this.#entries.delete(name);
  }

  /** Forgets all others. */
  keepOnly(isWanted: (name: UnitName) => boolean): void {
    for (const name of [...this.#entries.keys()]) if (!isWanted(name)) this.#entries.delete(name);
  }

  /** When to try the first of them again; `undefined` if there are none. */
  get dueMs(): number | undefined {
    const times = Array.from(this.#entries.values(), ({ retryAtMs }) => retryAtMs);
    return times.length === 0 ? undefined : times.reduce((first, each) => Math.min(first, each));
  }

  /** By name. */
  get conflicts(): readonly DirectoryConflict[] {
    return this.#sorted().flatMap(([unit, { setback }]) =>
      setback.kind === 'conflict' ? [{ unit, ...(setback.owner !== undefined && { owner: setback.owner }) }] : [],
    );
  }

  /** By name of the unit. */
  get failures(): readonly { readonly source: string; readonly message: string }[] {
    return this.#sorted().flatMap(([unit, { setback }]) =>
      setback.kind === 'failure' ? [{ source: setback.source, message: `${unit}: ${setback.message}` }] : [],
    );
  }

  #sorted(): readonly (readonly [UnitName, Entry])[] {
    return [...this.#entries].sort(([one], [other]) => (one < other ? -1 : 1));
  }
}
