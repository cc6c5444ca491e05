/** The longest first. */
const msPerUnit = [
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const;

/** Milliseconds in a duration above 0 as Go writes it: `1m30s`, `500ms`, `1.5h`; `undefined` if `text` is none. */
export function parseDurationMs(text: string): number | undefined {
  if (!/^\+?((\d+\.?\d*|\.\d+)(ns|us|µs|\u03bcs|ms|s|m|h))+$/.test(text)) return undefined;
  let totalMs = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|\u03bcs|ms|s|m|h)/g))
    totalMs += Number(amount) * (msPerUnit.find(([name]) => name === unit)?.[1] ?? (unit === 'ns' ? 1e-6 : 1e-3));
  return totalMs > 0 ? totalMs : undefined;
}

/** A duration in whole milliseconds as {@link parseDurationMs} reads it: `1m30s`. */
export function formatDurationMs(ms: number): string {
  let rest = ms;
  let text = '';
  for (const [unit, unitMs] of msPerUnit) {
    const count = Math.floor(rest / unitMs);
    rest -= count * unitMs;
    if (count > 0) text += `${count}${unit}`;
  }
  return text;
}
