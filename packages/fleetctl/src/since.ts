const secondMs = 1000;
const spans: readonly (readonly [ms: number, name: string])[] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [secondMs, 's'],
];

/** A point in time for a table; `-` if it is unknown. In epoch milliseconds. */
export function formatTime(timeMs: number | undefined): string {
  return timeMs === undefined ? '-' : new Date(timeMs).toISOString();
}

/** A point in time for people: `since 2026-11-22 23:01:07 UTC (5 min)`. Both in epoch milliseconds. */
export function formatSince(sinceMs: number, nowMs: number): string {
  const [date, time] = new Date(sinceMs).toISOString().split(/[T.]/);
  return `since ${date} ${time} UTC (${formatSpan(nowMs - sinceMs)})`;
}

/** The same in the words of `systemctl status`: `since Sun 2026-11-22 23:01:07 UTC; 5min ago`. */
export function formatSystemdSince(sinceMs: number, nowMs: number): string {
  const [weekday] = new Date(sinceMs).toUTCString().split(',');
  const [date, time] = new Date(sinceMs).toISOString().split(/[T.]/);
  const span = formatSpan(nowMs - sinceMs)
    .replace(/ (min|s|h)$/, '$1')
    .replace(/^1 d$/, '1 day')
    .replace(/ d$/, ' days');
  return `since ${weekday} ${date} ${time} UTC; ${span} ago`;
}

/** A time that has passed: `5 min`. Clocks differ: what is said to begin a moment from now has just begun. */
export function formatSpan(ms: number): string {
  const [size, name] = spans.find(([each]) => ms >= each) ?? [secondMs, 's'];
  return `${Math.max(0, Math.floor(ms / size))} ${name}`;
}
