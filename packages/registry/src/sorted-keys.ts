/** Half of it is what a full chunk is split into; measured best between 256 and 1,024. */
const chunkSize = 512;

/** Distinct strings in order: cheap to add to and to walk from any point, at a million keys too. */
export class SortedKeys {
  readonly #chunks: string[][] = [[]];

  add(key: string): void {
    const at = this.#chunkOf(key);
    const chunk = this.#chunks[at] ?? [];
    const index = lowerBound(chunk, key);
    if (chunk[index] === key) return;
    chunk.splice(index, 0, key);
    if (chunk.length > chunkSize) this.#chunks.splice(at, 1, chunk.slice(0, chunkSize / 2), chunk.slice(chunkSize / 2));
  }

  delete(key: string): void {
    const at = this.#chunkOf(key);
    const chunk = this.#chunks[at] ?? [];
    const index = lowerBound(chunk, key);
    if (chunk[index] !== key) return;
    chunk.splice(index, 1);
    if (chunk.length === 0 && this.#chunks.length > 1) this.#chunks.splice(at, 1);
  }

  /** The keys in [`from`, `to`). */
  *between(from: string, to: string): Generator<string> {
    let at = this.#chunkOf(from);
    let index = lowerBound(this.#chunks[at] ?? [], from);
    for (; at < this.#chunks.length; at++, index = 0) {
      const chunk = this.#chunks[at] ?? [];
      for (; index < chunk.length; index++) {
        const key = chunk[index];
        if (key === undefined || key >= to) return;
        yield key;
      }
    }
  }

  /** The last chunk that begins at or before `key`, or the first. */
  #chunkOf(key: string): number {
    let low = 0;
    let high = this.#chunks.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#chunks[middle]?.[0] ?? '') <= key) low = middle;
      else high = middle;
    }
    return low;
  }
}

/** The index of the first string that is not before `key`. */
function lowerBound(sorted: readonly string[], key: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? '') < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
