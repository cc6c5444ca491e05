import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { largestUnitFile } from '@flotilla/unit';
import type { FolderFault } from './folder-model.js';
import { errorCode, errorText } from './io-errors.js';

/** What reading a file gave. */
export type ReadFile =
  /** `isStill`: nobody wrote to it meanwhile, as far as its times tell. */
  | { readonly kind: 'read'; readonly bytes: Uint8Array; readonly stamp: string; readonly isStill: boolean }
  /** It is not there any more, or no file any more. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'fault'; readonly fault: FolderFault };

/** Another one when a file may have other content. */
export function stampOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
}

/** A unit file's limit holds for any file of a folder: what is larger was not written by hand. */
export function tooLarge(): FolderFault {
  return { kind: 'too-large', message: `is larger than ${largestUnitFile} bytes: no unit file is, so take it away` };
}

/**
 * Reads a file that may be anything by now: never waits for the other end of a pipe, and takes no more than
 * a unit file may have, whatever its size says (in /proc it says nothing).
 */
export async function readSafely(path: string, opener: typeof open = open): Promise<ReadFile> {
  let file: FileHandle | undefined;
  try {
    file = await opener(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    const before = await file.stat({ bigint: true });
    if (!before.isFile()) return { kind: 'gone' };
    if (before.size > BigInt(largestUnitFile)) return { kind: 'fault', fault: tooLarge() };
    const bytes = await readAll(file, Number(before.size));
    if (bytes.length > largestUnitFile) return { kind: 'fault', fault: tooLarge() };
    const stamp = stampOf(before);
    return { kind: 'read', bytes, stamp, isStill: stampOf(await file.stat({ bigint: true })) === stamp };
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
