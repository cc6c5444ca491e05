import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Writes a file so that a crash or power cut leaves the old one or the new one, whole. Makes the directories above it. */
export async function writeAtomic(path: string, text: string): Promise<void> {
  const temporary = `${path}.new`;
  await mkdir(dirname(path), { recursive: true });
  const file = await open(temporary, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

/** {@link writeAtomic}; once it resolves, no power cut brings the old file back. Costs one more commit of the file system. */
export async function writeLasting(path: string, text: string): Promise<void> {
  await writeAtomic(path, text);
  const directory = await open(dirname(path), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** A file's text; `undefined` if there is none. */
export async function findText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** A file that {@link writeAtomic} may have written, parsed; `undefined` if it is missing or damaged. */
export async function findJson(path: string): Promise<unknown> {
  return parseJson((await findText(path)) ?? '');
}

/** `undefined` if it is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
