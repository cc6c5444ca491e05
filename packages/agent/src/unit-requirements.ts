import type { Logger } from '@flotilla/runtime';
import type { UnitFileHere, UnitManager } from '@flotilla/systemd';
import { parseRequirements, parseUnitFile, type Requirements, type UnitName } from '@flotilla/unit';
import { sha256Of, type UnitContents } from './unit-contents.js';

export interface UnitRequirementsOptions {
  readonly contents: UnitContents;
  readonly unitManager: UnitManager;
  readonly log: Logger;
}

/** What units ask of a machine and of each other: taken from their files once, from the disk where they are there. */
export class UnitRequirements {
  readonly #options: UnitRequirementsOptions;
  /** By {@link entryKey}; `undefined`: that file does not parse. */
  readonly #entries = new Map<string, Requirements | undefined>();
  readonly #used = new Set<string>();
  readonly #told = new Set<string>();

  constructor(options: UnitRequirementsOptions) {
    this.#options = options;
  }

  /**
   * The requirements of units, but for those whose file can't be read.
   *
   * @param wanted Unit name to the SHA-256 of its file.
   * @param here The files in the units directory.
   * @throws StoreError if a file has to be read from the store, and that can't be reached.
   */
  async read(
    wanted: ReadonlyMap<UnitName, string>,
    here: ReadonlyMap<UnitName, UnitFileHere>,
  ): Promise<Map<UnitName, Requirements>> {
    const unknown = new Map([...wanted].filter(([name, file]) => !this.#entries.has(entryKey(name, file))));
    await this.#readDisk([...unknown.keys()].filter((name) => here.get(name)?.sha256 === unknown.get(name)));
    await this.#readStore(new Map([...unknown].filter(([name, file]) => !this.#entries.has(entryKey(name, file)))));
    const found = new Map<UnitName, Requirements>();
    for (const [name, file] of wanted) {
      this.#used.add(entryKey(name, file));
      const requirements = this.#entries.get(entryKey(name, file));
      if (requirements !== undefined) found.set(name, requirements);
    }
    return found;
  }

  /** Forgets what was not asked for since the last call. */
  forgetUnused(): void {
    for (const known of [this.#entries.keys(), this.#told])
      for (const key of known) if (!this.#used.has(key)) this.#forget(key);
    this.#used.clear();
  }

  #forget(key: string): void {
    this.#entries.delete(key);
    this.#told.delete(key);
  }

  async #readDisk(names: readonly UnitName[]): Promise<void> {
    if (names.length === 0) return;
    for (const [name, content] of await this.#options.unitManager.readFiles(names))
      this.#note(name, sha256Of(content), content);
  }

  async #readStore(files: ReadonlyMap<UnitName, string>): Promise<void> {
    const contents = await this.#options.contents.read(files.values());
    for (const [name, file] of files) {
      const content = contents.get(file);
      if (content !== undefined) this.#note(name, file, content);
      else this.#tell('the file of a unit is missing in the store', { name, file });
    }
  }

  #note(name: UnitName, file: string, content: Uint8Array): void {
    this.#entries.set(entryKey(name, file), this.#parse(name, file, content));
  }

  #parse(name: UnitName, file: string, content: Uint8Array): Requirements | undefined {
    try {
      // What a newer Flotilla accepted is not for this one to refuse.
      return parseRequirements({ name, file: parseUnitFile(content, name), allowUnknown: true });
    } catch (error) {
      this.#tell('the file of a unit does not parse', { name, file, error });
      return undefined;
    }
  }

  #tell(message: string, { name, file, error }: { name: UnitName; file: string; error?: unknown }): void {
    const key = entryKey(name, file);
    if (this.#told.has(key)) return;
    this.#told.add(key);
    this.#options.log.warn(message, { unit: name, ...(error === undefined ? {} : { error }) });
  }
}

/** Specifiers are expanded for the name, so the same bytes may ask for something else under another one. */
function entryKey(name: UnitName, file: string): string {
  return `${file} ${name}`;
}
