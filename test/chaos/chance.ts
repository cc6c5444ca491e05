/** Chance that is the same again for the same seed. */
export interface Chance {
  /** A whole number in [0, end). */
  below(end: number): number;
  /** A whole number in [from, to]. */
  between(from: number, to: number): number;
  pick<T>(from: readonly T[]): T;
  /** True once in so many times. */
  oneIn(times: number): boolean;
  /** So many of them, in their order. */
  some<T>(from: readonly T[], count: number): T[];
}

/** Mulberry32: 32 bits of state pass every test that matters here, and it is short. */
export function createChance(seed: number): Chance {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (end: number) => Math.floor(next() * end);
  const pick = <T>(from: readonly T[]): T => {
    const [found] = from.slice(below(from.length));
    if (found === undefined) throw new Error('there is nothing to pick from');
    return found;
  };
  return {
    below,
    pick,
    between: (from, to) => from + below(to - from + 1),
    oneIn: (times) => below(times) === 0,
    some(from, count) {
      const left = [...from];
      while (left.length > count) left.splice(below(left.length), 1);
      return left;
    },
  };
}
