import { median, percentile } from './stopwatch.js';

/** When what was so, in milliseconds since the start. */
export type Marks = Readonly<Record<string, number>>;

/** One line of a breakdown. */
export interface Stage {
  readonly what: string;
  readonly p50: number;
  readonly p99: number;
  /** Median of how long after the line before. */
  readonly step: number;
}

/** Where the time of many runs goes: their marks, in the order of their medians. */
export function stagesOf(runs: readonly Marks[]): Stage[] {
  const names = Object.keys(runs[0] ?? {});
  const times = (what: string) => runs.map((marks) => marks[what] ?? Number.NaN);
  const ordered = names.toSorted((a, b) => median(times(a)) - median(times(b)));
  return ordered.map((what, index) => {
    const before = ordered[index - 1];
    const steps = runs.map((marks) => (marks[what] ?? Number.NaN) - (before === undefined ? 0 : (marks[before] ?? 0)));
    return { what, p50: median(times(what)), p99: percentile(times(what), 99), step: median(steps) };
  });
}

export function printStages(title: string, runs: readonly Marks[], print: (line: string) => void): void {
  const cells = (...values: readonly string[]) => values.map((value) => value.padStart(8)).join('');
  print(`  ${title.padEnd(30)}${cells('p50', 'p99', 'step')}`);
  for (const { what, p50, p99, step } of stagesOf(runs))
    print(`    ${what.padEnd(28)}${cells(...[p50, p99, step].map((ms) => ms.toFixed(1)))}`);
}
