import { createLab, labObstacle, startFleet } from '../lab/index.js';
import { benchApply } from './directories-apply.js';
import { benchBurst } from './directories-burst.js';
import { benchDrops } from './directories-drops.js';
import { benchDirectoriesIdle } from './directories-idle.js';

export interface BenchDirectoriesOptions {
  /** Files that are there at once. @default 1000 */
  readonly units?: number;
  /** How often each way is timed with all of them; they take turns. @default 3 */
  readonly rounds?: number;
  /** How often a single unit is started each way; they take turns. @default 50 */
  readonly runs?: number;
  /** How long the idle host is watched. @default 60 */
  readonly seconds?: number;
  /** @default console.log */
  readonly print?: (line: string) => void;
}

/** Files are dropped into these one at a time, and all at once. */
const watched = { drops: '/srv/drops', burst: '/srv/burst' } as const;

/** What a watched directory costs next to `fleetctl start` of the same files; what `fleetctl apply` of unchanged files costs. */
export async function benchDirectories(options: BenchDirectoriesOptions = {}): Promise<void> {
  const { units = 1000, rounds = 3, runs = 50, seconds = 60, print = console.log } = options;
  const obstacle = labObstacle();
  if (obstacle !== false) return print(`directories: skipped, ${obstacle}`);
  const lab = await createLab({ name: `bench-${process.pid}`, hosts: 1 });
  try {
    const [host] = lab.hosts;
    if (host === undefined) throw new Error('the lab has no hosts');
    await host.mustExec(['mkdir', '-p', ...Object.values(watched)]);
    const unitDirs = Object.entries(watched).map(([name, path]) => `${name}:${path}`);
    await startFleet(lab, () => ({ agent_ttl: '30s', unit_dirs: unitDirs.join(',') }));
    await benchDrops({ lab, host, runs, folder: watched.drops, print });
    const work = { lab, host, units, folder: watched.burst, print };
    await benchBurst({ ...work, rounds });
    await benchApply({ ...work, rounds });
    await benchDirectoriesIdle({ ...work, seconds });
  } finally {
    await lab.close();
  }
}
