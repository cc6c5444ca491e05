/** Something that keeps bytes in memory until its client has sent the rest, or taken them. */
export interface Holder {
  /** Lets the client go. */
  drop(): void;
}

/** What clients make this process keep in memory; the oldest holder is dropped while it is more than `most` bytes. */
export class HeldBytes {
  readonly #most: number;
  /** In the order in which they began. */
  readonly #bytesByHolder = new Map<Holder, number>();
  #total = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get total(): number {
    return this.#total;
  }

  /** The newest holder is never dropped for its own sake: whoever comes last gets through. */
  add(holder: Holder, bytes: number): void {
    this.#bytesByHolder.set(holder, (this.#bytesByHolder.get(holder) ?? 0) + bytes);
    this.#total += bytes;
    for (const oldest of this.#bytesByHolder.keys()) {
      if (this.#total <= this.#most || this.#bytesByHolder.size === 1) return;
      this.release(oldest);
      oldest.drop();
    }
  }

  /** Harmless if it holds nothing. */
  release(holder: Holder): void {
    this.#total -= this.#bytesByHolder.get(holder) ?? 0;
    this.#bytesByHolder.delete(holder);
  }
}
