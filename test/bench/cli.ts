import { createLab, labObstacle, startFleet } from '../lab/index.js';
import { benchCommands } from './cli-commands.js';
import { benchSingleStarts } from './cli-starts.js';

export interface BenchCliOptions {
  /** Units that run while commands are timed. @default 1000 */
  readonly units?: number;
  /** How often each command is timed; they take turns. @default 50 */
  readonly rounds?: number;
  /** How often a single unit is started each way; they take turns. @default 200 */
  readonly runs?: number;
  /** @default console.log */
  readonly print?: (line: string) => void;
}

/** What fleetctl costs a person who waits for it: one unit until it runs, lists of many, and single commands. */
export async function benchCli(options: BenchCliOptions = {}): Promise<void> {
  const { units = 1000, rounds = 50, runs = 200, print = console.log } = options;
  const obstacle = labObstacle();
  if (obstacle !== false) return print(`cli: skipped, ${obstacle}`);
  const lab = await createLab({ name: `bench-${process.pid}`, hosts: 3 });
  try {
    await startFleet(lab, () => ({}));
    await benchSingleStarts({ lab, runs, print });
    await benchCommands({ lab, units, rounds, print });
  } finally {
    await lab.close();
  }
}
