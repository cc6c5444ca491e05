import { findNearest } from '@flotilla/unit';

/** What is said of a name that no directory has; `commands` are words that may have been meant. */
export function unknownDirectory(name: string, known: readonly string[], commands: readonly string[] = []): string {
  const nearest = findNearest(name, [...known, ...commands]);
  const others = known.length === 0 ? 'no directory is watched' : `there are ${known.join(', ')}`;
  return `there is no directory ${JSON.stringify(name)}: ${nearest === undefined ? others : `did you mean ${nearest}?`}`;
}
