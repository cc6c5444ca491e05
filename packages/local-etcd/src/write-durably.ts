import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Writes a file so that a power cut leaves the old one or the new one, whole; once this returns, the new one. */
export async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(`${path}.new`, 'w', 0o644);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
  const directory = await open(dirname(path), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
