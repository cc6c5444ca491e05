/** How systemd spells its units of time, but for those that are longer than a week or shorter than a millisecond. */
const msByUnit: ReadonlyMap<string, number> = new Map(
  (
    [
      [604_800_000, 'w week weeks'],
      [86_400_000, 'd day days'],
      [3_600_000, 'h hr hour hours'],
      [60_000, 'm min minute minutes'],
      [1000, 's sec second seconds'],
      [1, 'ms msec'],
    ] as const
  ).flatMap(([ms, names]) => names.split(' ').map((name) => [name, ms] as const)),
);

/**
 * Whole milliseconds in a time span as unit files have it: `10`, `10s`, `1min 30s`, `1.5h`; a number alone counts
 * seconds. `undefined` if `text` is none.
 *
 * @see systemd.time(7)
 */
export function parseTimeSpanMs(text: string): number | undefined {
  if (!/^\s*(\d+(\.\d+)?\s*[a-z]*\s*)+$/.test(text)) return undefined;
  let totalMs = 0;
  for (const [, amount, unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]*)/g)) {
    const unitMs = msByUnit.get(unit === '' ? 's' : unit);
    if (unitMs === undefined) return undefined;
    totalMs += Number(amount) * unitMs;
  }
  return Math.round(totalMs);
}
