const names = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1'] as const;

const kept: NodeJS.Signals[] = [];
const keep = (signal: NodeJS.Signals) => kept.push(signal);

// The program takes several times as long to load as Node to start. Who stops it in that time wants its units stopped.
for (const name of names) process.on(name, keep);

/** Leaves signals to others from now on. @returns Those that have come since this module was loaded, in their order. */
export function takeEarlySignals(): readonly NodeJS.Signals[] {
  for (const name of names) process.off(name, keep);
  return kept;
}
