import type { Store } from '@flotilla/registry';
import type { Logger } from '@flotilla/runtime';
import { parseRequirements, parseUnitFile, type Requirements, type UnitName } from '@flotilla/unit';
import type { GlobalUnit } from './assignment-view.js';
import { readUnitFiles } from './unit-contents.js';

/** What the global units ask of a machine: read from their files once, not again until a file changes. */
export class GlobalRequirements {
  readonly #store: Store;
  readonly #log: Logger;
  readonly #entries = new Map<UnitName, { readonly file: string; readonly requirements: Requirements | undefined }>();

  constructor(store: Store, log: Logger) {
    this.#store = store;
    this.#log = log;
  }

  /** The requirements of each of `globals`, but for those whose file can't be read. */
  async read(globals: ReadonlyMap<UnitName, GlobalUnit>): Promise<Map<UnitName, Requirements>> {
    for (const name of [...this.#entries.keys()]) if (!globals.has(name)) this.#entries.delete(name);
    const changed = [...globals].filter(([name, { record }]) => this.#entries.get(name)?.file !== record.file);
    const contents = await readUnitFiles(
      this.#store,
      changed.map(([, { record }]) => record.file),
    );
    for (const [name, { record }] of changed) {
      const content = contents.get(record.file);
      if (content === undefined) this.#log.warn('the file of a global unit is missing in the store', { unit: name });
      else this.#entries.set(name, { file: record.file, requirements: this.#parse(name, content) });
    }
    const found = new Map<UnitName, Requirements>();
    for (const [name, { file, requirements }] of this.#entries)
      if (requirements !== undefined && globals.get(name)?.record.file === file) found.set(name, requirements);
    return found;
  }

  #parse(name: UnitName, content: Uint8Array): Requirements | undefined {
    try {
      // What a newer Flotilla accepted is not for this one to refuse.
      return parseRequirements({ name, file: parseUnitFile(content, name), allowUnknown: true });
    } catch (error) {
      this.#log.warn('the file of a global unit does not parse', { unit: name, error });
      return undefined;
    }
  }
}
