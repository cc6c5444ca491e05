import { UsageError } from './errors.js';

/**
 * The values in words like `key=value`, by key; a value may have further equals signs in it.
 *
 * @throws UsageError if a word is none, or a key comes twice.
 */
export function parsePairs(words: readonly string[]): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  for (const word of words) {
    const at = word.indexOf('=');
    if (at < 1) throw new UsageError(`"${word}" is not KEY=VALUE`);
    const key = word.slice(0, at);
    if (pairs.has(key)) throw new UsageError(`${key} is named twice`);
    pairs.set(key, word.slice(at + 1));
  }
  return pairs;
}
