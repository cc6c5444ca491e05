import { join } from 'node:path';
import { mustRun, singleFiles } from '../lab/index.js';
import { median, shown, timed } from './stopwatch.js';

export interface BenchVersionOptions {
  /** How often each is timed; they take turns. @default 40 */
  readonly rounds?: number;
  /** @default console.log */
  readonly print?: (line: string) => void;
}

/** The goal of the project, as a multiple of Node's own time. */
const goalRatio = 1.5;

/** Both run without NODE_EXTRA_CA_CERTS, which costs Node more than everything else here: `mustRun` hands on no variables. */
const programs = {
  node: [process.execPath, '-e', '0'],
  fleetctl: [process.execPath, join(singleFiles, 'fleetctl'), 'version'],
};

/** Compares `fleetctl version` with a Node that has nothing to do: what a script pays for asking. */
export async function benchVersion({ rounds = 40, print = console.log }: BenchVersionOptions = {}): Promise<void> {
  const times = { node: [] as number[], fleetctl: [] as number[] };
  const run = async (name: keyof typeof programs) => {
    times[name].push(await timed(() => mustRun(programs[name])));
  };
  for (let round = 0; round < rounds; round++)
    for (const name of round % 2 ? (['fleetctl', 'node'] as const) : (['node', 'fleetctl'] as const)) await run(name);
  print(`version: ${rounds} rounds, median (least - most)`);
  print(`  fleetctl version  ${shown(times.fleetctl)}`);
  print(`  node -e 0         ${shown(times.node)}`);
  print(`  ratio ${(median(times.fleetctl) / median(times.node)).toFixed(2)} (goal: at most ${goalRatio})`);
}
