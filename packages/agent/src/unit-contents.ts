import { createHash } from 'node:crypto';
import { FleetError } from '@flotilla/errors';
import { keys, type Store, StoreError } from '@flotilla/registry';

/** Files per read: 64 of the usual size are far below what the store may answer with (4 MiB). */
const filesPerRead = 64;

/** Unit files from the store. One that is read to decide about its unit need not be read again to be loaded. */
export class UnitContents {
  readonly #store: Store;
  readonly #kept = new Map<string, Uint8Array>();

  constructor(store: Store) {
    this.#store = store;
  }

  /**
   * Reads unit files by the SHA-256 of their bytes, many per transaction. A file that is missing, or is not what its key
   * says, is missing in the answer.
   *
   * @throws StoreError if the store can't be reached.
   */
  async read(sha256s: Iterable<string>): Promise<Map<string, Uint8Array>> {
    const wanted = [...new Set(sha256s)].sort();
    const missing = wanted.filter((sha256) => !this.#kept.has(sha256));
    for (const [sha256, content] of await readUnitFiles(this.#store, missing)) this.#kept.set(sha256, content);
    const found = new Map<string, Uint8Array>();
    for (const sha256 of wanted) {
      const content = this.#kept.get(sha256);
      if (content !== undefined) found.set(sha256, content);
    }
    return found;
  }

  /** Forgets all files but these. */
  keep(sha256s: { has(sha256: string): boolean }): void {
    for (const sha256 of this.#kept.keys()) if (!sha256s.has(sha256)) this.#kept.delete(sha256);
  }
}

/** What a unit file goes by in the store. */
export function sha256Of(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

async function readUnitFiles(store: Store, sha256s: readonly string[]): Promise<Map<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>();
  const queue: (readonly string[])[] = [];
  for (let start = 0; start < sha256s.length; start += filesPerRead)
    queue.push(sha256s.slice(start, start + filesPerRead));
  for (let part = queue.shift(); part !== undefined; part = queue.shift()) {
    try {
      for (const [sha256, content] of await readPart(store, part)) found.set(sha256, content);
    } catch (error) {
      // Refused: the answer was too large.
      if (!(error instanceof StoreError) || error.kind !== 'refused' || part.length === 1) throw error;
      queue.unshift(part.slice(0, part.length >> 1), part.slice(part.length >> 1));
    }
  }
  return found;
}

async function readPart(store: Store, sha256s: readonly string[]): Promise<Map<string, Uint8Array>> {
  const { ranges } = await store.transact({
    success: sha256s.map((sha256) => ({ kind: 'range', from: keys.unitFile(sha256) })),
  });
  if (ranges.length !== sha256s.length) throw new FleetError('short-answer', `${ranges.length} of ${sha256s.length}`);
  const found = new Map<string, Uint8Array>();
  for (const [index, sha256] of sha256s.entries()) {
    const content = ranges[index]?.kvs[0]?.value;
    if (content !== undefined && sha256Of(content) === sha256) found.set(sha256, content);
  }
  return found;
}
