import { constants, open } from 'node:fs/promises';
import { ConfigError } from './errors.js';

/** In bytes, far more than options or certificates take: what is larger is another file, and could fill the memory. */
const largestFile = 1024 * 1024;

/**
 * The content of a file that an operator names. Nothing that is named by mistake holds fleetd up: a read that never ends
 * would keep the process, too.
 *
 * @throws ConfigError if it is something else than a short file; what `open` throws.
 */
export async function readShortFile(path: string): Promise<Buffer> {
  // To open a pipe would take somebody who writes to it.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = await file.stat();
    if (found.isDirectory()) throw new ConfigError(`${path} is a directory, not a file`);
    if (!found.isFile() && path !== '/dev/null') throw new ConfigError(`${path} is not a regular file`);
    if (found.size > largestFile) throw new ConfigError(`${path} is larger than ${largestFile} bytes`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}
