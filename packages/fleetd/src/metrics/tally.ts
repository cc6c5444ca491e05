/** Values by the names of labels, always in the same order. */
export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

/** Counts, by labels. */
export class Tally {
  readonly #samples = new Map<string, { readonly labels: Labels; value: number }>();

  /** @param known What is shown as 0 before it is counted, so that a first one is an increase. */
  constructor(known: readonly Labels[] = []) {
    for (const labels of known) this.add(labels, 0);
  }

  add(labels: Labels = {}, by = 1): void {
    const key = keyOf(labels);
    const sample = this.#samples.get(key) ?? { labels, value: 0 };
    sample.value += by;
    this.#samples.set(key, sample);
  }

  get samples(): readonly Sample[] {
    return [...this.#samples.values()];
  }
}

/** How long something took, each time, for one set of labels. */
export interface TimeSample {
  readonly labels: Labels;
  /** How many took at most as long as each of the bounds, in their order. */
  readonly within: readonly number[];
  readonly count: number;
  readonly sumSeconds: number;
}

/** Upper bounds, in seconds, that durations are counted by: from one call of a local etcd to a pass that goes wrong. */
export const timeBounds: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];

/** Counts of durations, by labels. */
export class TimeTally {
  readonly #samples = new Map<
    string,
    { readonly labels: Labels; within: number[]; count: number; sumSeconds: number }
  >();

  /** @param known As in {@link Tally}. */
  constructor(known: readonly Labels[] = []) {
    for (const labels of known) this.#sampleOf(labels);
  }

  add(durationMs: number, labels: Labels = {}): void {
    const sample = this.#sampleOf(labels);
    const seconds = durationMs / 1000;
    sample.count++;
    sample.sumSeconds += seconds;
    for (const [index, bound] of timeBounds.entries())
      if (seconds <= bound) sample.within[index] = (sample.within[index] ?? 0) + 1;
  }

  get samples(): readonly TimeSample[] {
    return [...this.#samples.values()];
  }

  #sampleOf(labels: Labels) {
    const key = keyOf(labels);
    const sample = this.#samples.get(key) ?? { labels, within: timeBounds.map(() => 0), count: 0, sumSeconds: 0 };
    this.#samples.set(key, sample);
    return sample;
  }
}

function keyOf(labels: Labels): string {
  return Object.values(labels).join('\n');
}
