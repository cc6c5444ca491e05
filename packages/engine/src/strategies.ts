/**
 * A number from 0 to 2^32 - 1 that a unit's name and a seed determine: where `random` begins to look.
 *
 * @see FNV-1a, 32 bits
 */
export function hashName(name: string, seed: number): number {
  const text = `${seed}/${name}`;
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}
