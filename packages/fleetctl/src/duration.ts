const msPerUnit: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, '': 1000 };

/** Milliseconds in `90s`, `1.5m`, `500ms`, `1h30m` or `90` (seconds); `undefined` if `text` is none of these. */
export function findDurationMs(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ms|s|m|h)?|(\d+(\.\d+)?(ms|s|m|h))+)$/.test(text)) return undefined;
  let totalMs = 0;
  for (const [, amount, unit = ''] of text.matchAll(/([\d.]+)(ms|s|m|h)?/g))
    totalMs += Number(amount) * (msPerUnit[unit] ?? 0);
  return totalMs;
}

/** A duration for a sentence: `60 s`. */
export function formatDuration(ms: number): string {
  return `${Number((ms / 1000).toFixed(1))} s`;
}
