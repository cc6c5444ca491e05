import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** What people are told to type on a host: the `sh` blocks of the README below a heading, up to the next one. */
export async function readChapter(heading: string): Promise<string[]> {
  const readme = await readFile(fileURLToPath(new URL('../../../README.md', import.meta.url)), 'utf8');
  const text = readme.split(`# ${heading}\n`)[1]?.split(/^##/m)[0] ?? '';
  return [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block ?? '');
}
