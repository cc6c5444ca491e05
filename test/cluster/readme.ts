import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** What people are told to type on a host: the `sh` blocks of a chapter of the README. */
export async function readChapter(heading: string): Promise<string[]> {
  const readme = await readFile(fileURLToPath(new URL('../../../README.md', import.meta.url)), 'utf8');
  const text = readme.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  return [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block ?? '');
}
