import type { Findings } from './checkpoint.js';

/** What has happened in all, for the end. */
export class Tally {
  readonly #faults = new Map<string, number>();
  readonly #checks: Findings[] = [];
  #impossible = 0;

  fault(kind: string, isDone: boolean): void {
    if (isDone) this.#faults.set(kind, (this.#faults.get(kind) ?? 0) + 1);
    else this.#impossible++;
  }

  add(findings: Findings): void {
    this.#checks.push(findings);
  }

  lines(operations: ReadonlyMap<string, number>): string[] {
    const passed = this.#checks.filter(({ problems }) => problems.length === 0);
    const twice = passed.flatMap(({ overlapsMs }) => overlapsMs);
    const sum = (of: (findings: Findings) => number) => passed.reduce((total, each) => total + of(each), 0);
    const memory = (find: (...values: number[]) => number, at: Findings | undefined) =>
      Math.round(find(...(at?.residentKiB ?? [0])) / 1_024);
    return [
      `faults: ${counts(this.#faults)}; ${this.#impossible} could not be brought about`,
      `operations: ${counts(operations)}`,
      `checks passed: ${passed.length} of ${this.#checks.length}; longest time to settle: ${(Math.max(0, ...this.#checks.map(({ settleMs }) => settleMs)) / 1_000).toFixed(1)} s`,
      `stops: ${sum(({ stops }) => stops)}, each with a cause; moves: ${sum(({ moves }) => moves)}`,
      `units that ran twice while a host was out of contact: ${twice.length}, for ${(Math.max(0, ...twice) / 1_000).toFixed(1)} s at most`,
      `memory of fleetd: ${memory(Math.max, passed[0])} MiB at first, ${memory(Math.max, passed.at(-1))} MiB at last`,
    ];
  }
}

function counts(of: ReadonlyMap<string, number>): string {
  const sorted = [...of].sort(([one], [other]) => one.localeCompare(other));
  return sorted.map(([what, count]) => `${count} ${what}`).join(', ') || 'none';
}
