import { createLab, labObstacle, mustFleetctl, startFleet } from '../lab/index.js';
import { benchCrash } from './host-crash.js';
import { countCalls, instances, putTemplates } from './host-fleetd.js';
import { benchIdle } from './host-idle.js';
import { benchStarts } from './host-starts.js';

export interface BenchHostOptions {
  /** Instances of one template. @default 1000 */
  readonly units?: number;
  /** How often each way is timed; they take turns. @default 3 */
  readonly rounds?: number;
  /** How long the idle host is watched. @default 60 */
  readonly seconds?: number;
  /** @default console.log */
  readonly print?: (line: string) => void;
}

/** What fleetd costs one host that has many units: while nothing happens, when all start and stop at once, and when one crashes. */
export async function benchHost(options: BenchHostOptions = {}): Promise<void> {
  const { units = 1000, rounds = 3, seconds = 60, print = console.log } = options;
  const obstacle = labObstacle();
  if (obstacle !== false) return print(`host: skipped, ${obstacle}`);
  const lab = await createLab({ name: `bench-${process.pid}`, hosts: 1 });
  try {
    const [host] = lab.hosts;
    if (host === undefined) throw new Error('the lab has no hosts');
    await startFleet(lab, () => ({ agent_ttl: '30s' }));
    await countCalls(host);
    await putTemplates(host);
    await benchStarts({ host, units, rounds, print });
    await mustFleetctl(host, ['start', ...instances('fleet', units)], { timeoutMs: 300_000 });
    await benchIdle({ lab, host, units, seconds, print });
    await benchCrash({ host, rounds, print });
  } finally {
    await lab.close();
  }
}
