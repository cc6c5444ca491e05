import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { largestUnitFile } from '@flotilla/unit';
import type { FolderFault } from './folder-model.js';
import { errorCode, errorText } from './io-errors.js';

/** What reading a file gave. */
export type ReadFile =
  | { readonly kind: 'read'; readonly bytes: Uint8Array }
  /** It is not there any more, or no file any more. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'fault'; readonly fault: FolderFault };

/** A unit file's limit holds for any file of a folder: what is larger was not written by hand. */
const tooLarge: FolderFault = {
  kind: 'too-large',
  message: `is larger than ${largestUnitFile} bytes: no unit file is, so take it away`,
};

/**
 * Reads a file that may be anything by now: never waits for the other end of a pipe, and takes no more than
 * a unit file may have, whatever its size says (in /proc it says nothing).
 */
export async function readSafely(path: string, opener: typeof open = open): Promise<ReadFile> {
  let file: FileHandle | undefined;
  try {
    file = await opener(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    const found = await file.stat();
    if (!found.isFile()) return { kind: 'gone' };
    if (found.size > largestUnitFile) return { kind: 'fault', fault: tooLarge };
    const bytes = await readAll(file, found.size);
    return bytes.length > largestUnitFile ? { kind: 'fault', fault: tooLarge } : { kind: 'read', bytes };
  } catch (error) {
    const code = errorCode(error);
    // ENXIO: a socket has taken its place.
    if (code === 'ENOENT' || code === 'ENXIO') return { kind: 'gone' };
    return { kind: 'fault', fault: unreadable(error) };
  } finally {
    await file?.close().catch(errorCode);
  }
}

/** That the system does not let us read. */
export function unreadable(error: unknown): FolderFault {
  const advice = errorCode(error) === 'EACCES' ? `: let user ${process.geteuid?.() ?? ''} read it` : '';
  return { kind: 'unreadable', message: `cannot be read: ${errorText(error)}${advice}` };
}

/** All bytes, or one more than a unit file may have. */
async function readAll(file: FileHandle, expected: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  while (total <= largestUnitFile) {
    // One byte more than there should be, so that the end is seen without another read of a whole buffer.
    const size = total === 0 ? expected + 1 : smallestRead;
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafeSlow(size), 0, size, null);
    if (bytesRead === 0) break;
    chunks.push(buffer.subarray(0, bytesRead));
    total += bytesRead;
    if (total === expected && bytesRead < size) break;
  }
  const [only = new Uint8Array()] = chunks;
  return chunks.length < 2 ? only : Buffer.concat(chunks);
}

/** In bytes, for what is longer than its size says. A page or several; taste. */
const smallestRead = 64 * 1024;
