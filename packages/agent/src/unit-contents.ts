import { createHash } from 'node:crypto';
import { FleetError } from '@flotilla/errors';
import { keys, type Store, StoreError } from '@flotilla/registry';

/** Files per read: 64 of the usual size are far below what the store may answer with (4 MiB). */
const filesPerRead = 64;

/**
 * Reads unit files by the SHA-256 of their bytes, many per transaction. A file that is missing, or is not what its key
 * says, is missing in the answer.
 *
 * @throws StoreError if the store can't be reached.
 */
export async function readUnitFiles(store: Store, sha256s: Iterable<string>): Promise<Map<string, Uint8Array>> {
  const wanted = [...new Set(sha256s)].sort();
  const found = new Map<string, Uint8Array>();
  const queue: string[][] = [];
  for (let start = 0; start < wanted.length; start += filesPerRead)
    queue.push(wanted.slice(start, start + filesPerRead));
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
    if (content !== undefined && createHash('sha256').update(content).digest('hex') === sha256)
      found.set(sha256, content);
  }
  return found;
}
