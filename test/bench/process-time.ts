/** What a process took. */
export interface ProcessTime {
  readonly ms: number;
  /** Of its own and of its children, in user and kernel mode. */
  readonly cpuMs: number;
}

/** Has bash run a command and say, in the last line of stderr, what it took; see {@link readProcessTime}. */
export function underClock(argv: readonly string[]): string[] {
  return ['bash', '-c', 'TIMEFORMAT="%R %U %S"; time "$@" >/dev/null', 'bash', ...argv];
}

/** @throws Error if that is not what is in the last line. */
export function readProcessTime(stderr: string): ProcessTime {
  const last = stderr.trimEnd().split('\n').at(-1) ?? '';
  const match = /^([\d.]+) ([\d.]+) ([\d.]+)$/.exec(last);
  if (match === null) throw new Error(`bash does not say what the command took: ${stderr}`);
  const [, real, user, system] = match.map(Number);
  const ms = (seconds = Number.NaN) => Math.round(seconds * 1000);
  return { ms: ms(real), cpuMs: ms(user) + ms(system) };
}
