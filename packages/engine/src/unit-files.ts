import type { Revision } from '@flotilla/registry';
import { parseRequirements, parseUnitFile, type Requirements, type UnitFile, type UnitName } from '@flotilla/unit';

/** What a unit asks of its machine, or why that is not known: its file is not here (yet), or can't be read. */
export type RequirementsReading =
  | { readonly kind: 'known'; readonly requirements: Requirements }
  | { readonly kind: 'missing' }
  | { readonly kind: 'bad'; readonly error: unknown };

interface HeldFile {
  readonly modRevision: Revision;
  /** The `[X-Fleet]` section; of the rest nothing is needed. */
  readonly fleetSection: UnitFile | { readonly error: unknown };
  /** The same for each unit that has this file, if nothing in it depends on the unit's name. */
  shared: RequirementsReading | undefined;
}

const fleetSectionName = 'X-Fleet';

/** The unit files of the mirror, by the SHA-256 of their bytes: what they ask of a machine, and who uses them. */
export class UnitFiles {
  readonly #files = new Map<string, HeldFile>();
  readonly #uses = new Map<string, number>();
  readonly #awaitedBy = new Map<string, Set<UnitName>>();
  readonly #unused = new Set<string>();
  readonly #unreadableUsers = new Set<string>();

  /** Takes a file in. The answer: the units that were waiting for it. */
  put(sha256: string, modRevision: Revision, bytes: Uint8Array): Iterable<UnitName> {
    const known = this.#files.get(sha256);
    const held = known ?? { fleetSection: readFleetSection(bytes, sha256), shared: undefined };
    this.#files.set(sha256, { ...held, modRevision });
    if (!this.#uses.has(sha256)) this.#unused.add(sha256);
    const names = this.#awaitedBy.get(sha256) ?? [];
    this.#awaitedBy.delete(sha256);
    return names;
  }

  /** Takes note that a file was deleted, unless it was put again since. */
  delete(sha256: string, revision: Revision): void {
    if (this.revisionOf(sha256) > revision) return;
    this.#files.delete(sha256);
    this.#unused.delete(sha256);
  }

  revisionOf(sha256: string): Revision {
    return this.#files.get(sha256)?.modRevision ?? 0;
  }

  /** What `name` asks for with this file. If the file is not here, {@link put} will tell when it comes. */
  read(name: UnitName, sha256: string): RequirementsReading {
    const held = this.#files.get(sha256);
    if (held === undefined) {
      const names = this.#awaitedBy.get(sha256) ?? new Set();
      this.#awaitedBy.set(sha256, names.add(name));
      return { kind: 'missing' };
    }
    if (held.shared !== undefined) return held.shared;
    const { fleetSection } = held;
    if ('error' in fleetSection) return { kind: 'bad', error: fleetSection.error };
    const reading = readRequirements(name, fleetSection);
    const dependsOnName = fleetSection.options.some(({ value }) => value.includes('%'));
    if (!dependsOnName && reading.kind === 'known') held.shared = reading;
    return reading;
  }

  /** Counts one more user of a file. */
  use(sha256: string): void {
    this.#uses.set(sha256, (this.#uses.get(sha256) ?? 0) + 1);
    this.#unused.delete(sha256);
  }

  /** Counts one user less. */
  release(sha256: string): void {
    const uses = (this.#uses.get(sha256) ?? 0) - 1;
    if (uses > 0) this.#uses.set(sha256, uses);
    else {
      this.#uses.delete(sha256);
      if (this.#files.has(sha256)) this.#unused.add(sha256);
    }
  }

  /** Notes whether a record that names a file, by its key, can't be read: its file may be any. */
  noteUser(key: string, { isUnreadable }: { readonly isUnreadable: boolean }): void {
    if (isUnreadable) this.#unreadableUsers.add(key);
    else this.#unreadableUsers.delete(key);
  }

  /** A record that may name any file; while there is one, no file counts as unused. */
  findUnreadableUser(): string | undefined {
    return this.#unreadableUsers.values().next().value;
  }

  /**
   * The files without a user, with their revisions: those that were put no later than `unitsRevision`, up to which all
   * changes of units are known. Whoever uses a file puts it again, so a user that is not known yet has raised the
   * revision.
   */
  unused(unitsRevision: Revision): { readonly sha256: string; readonly modRevision: Revision }[] {
    if (this.#unreadableUsers.size > 0) return [];
    return [...this.#unused]
      .map((sha256) => ({ sha256, modRevision: this.revisionOf(sha256) }))
      .filter(({ modRevision }) => modRevision <= unitsRevision);
  }
}

function readFleetSection(bytes: Uint8Array, sha256: string): UnitFile | { readonly error: unknown } {
  try {
    return { options: parseUnitFile(bytes, sha256).options.filter(({ section }) => section === fleetSectionName) };
  } catch (error) {
    return { error };
  }
}

function readRequirements(name: UnitName, file: UnitFile): RequirementsReading {
  try {
    return { kind: 'known', requirements: parseRequirements({ name, file, allowUnknown: true }) };
  } catch (error) {
    return { kind: 'bad', error };
  }
}
