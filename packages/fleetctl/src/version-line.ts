import { version } from '@flotilla/errors';

/** What the program says of its version. */
export const versionLine = `fleetctl version ${version}`;

const requests: ReadonlySet<string> = new Set(['version', '--version', '-v']);

/** Whether the words ask for the version and nothing else, so that the answer needs no other part of the program. */
export function isVersionRequest(words: readonly string[]): boolean {
  const [word = '', ...others] = words;
  return others.length === 0 && requests.has(word);
}
