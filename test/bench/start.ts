import { createLab, type Lab, labObstacle, mustFleetctl, startFleet, type TestHost, waitUntil } from '../lab/index.js';
import { median, shown, timed } from './stopwatch.js';

export interface BenchStartOptions {
  /** Instances of one template. @default 100 */
  readonly units?: number;
  /** How often each way is timed; they take turns. @default 5 */
  readonly rounds?: number;
  /** @default console.log */
  readonly print?: (line: string) => void;
}

const sleeper = '[Service]\nExecStart=/bin/sleep infinity\n';

/** The goal of the project for 100 units, as a multiple of systemd's own time. */
const goalRatio = 3;

/** Starts instances of a template through fleetctl, and as many with bare systemctl on the same hosts; compares. */
export async function benchStart(options: BenchStartOptions = {}): Promise<void> {
  const { units = 100, rounds = 5, print = console.log } = options;
  const obstacle = labObstacle();
  if (obstacle !== false) return print(`start: skipped, ${obstacle}`);
  const lab = await createLab({ name: `bench-${process.pid}`, hosts: 3 });
  try {
    await startFleet(lab, () => ({}));
    await putTemplates(lab);
    const times = { fleet: [] as number[], destroy: [] as number[], bare: [] as number[] };
    const ways = [
      async () => {
        times.fleet.push(await timed(() => fleetStart(lab, units)));
        await untilRunning(lab, 'fleet@*', units);
        times.destroy.push(await timed(() => mustFleetctl(firstHost(lab), ['destroy', ...instances('fleet', units)])));
        await untilRunning(lab, 'fleet@*', 0);
      },
      async () => {
        times.bare.push(await timed(() => onHosts(lab, units, 'start')));
        await untilRunning(lab, 'bare@*', units);
        await onHosts(lab, units, 'stop');
      },
    ];
    // Taking turns, and in turns who goes first: a slow minute of the machine meets both.
    for (let round = 0; round < rounds; round++) for (const way of round % 2 ? ways.toReversed() : ways) await way();
    print(`start: ${units} instances of a template on three hosts, ${rounds} rounds, median (least - most)`);
    print(`  fleetctl start, until all are active   ${shown(times.fleet)}`);
    print(`  systemctl start, split over the hosts  ${shown(times.bare)}`);
    print(`  ratio ${(median(times.fleet) / median(times.bare)).toFixed(2)} (goal: at most ${goalRatio})`);
    print(`  fleetctl destroy, until all are gone   ${shown(times.destroy)}`);
  } finally {
    await lab.close();
  }
}

function firstHost(lab: Lab): TestHost {
  const [host] = lab.hosts;
  if (host === undefined) throw new Error('the lab has no hosts');
  return host;
}

function instances(template: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${template}@${index + 1}.service`);
}

async function putTemplates(lab: Lab): Promise<void> {
  for (const host of lab.hosts) {
    await host.writeFile('/etc/systemd/system/bare@.service', sleeper);
    await host.mustExec(['systemctl', 'daemon-reload']);
  }
  const host = firstHost(lab);
  await host.writeFile('/root/fleet@.service', sleeper);
  await mustFleetctl(host, ['submit', `${host.root}/root/fleet@.service`]);
}

async function fleetStart(lab: Lab, units: number): Promise<void> {
  await mustFleetctl(firstHost(lab), ['start', ...instances('fleet', units)]);
}

/** One systemctl call on each host, all at once, each for its share; systemctl returns when its jobs are done. */
async function onHosts(lab: Lab, units: number, verb: 'start' | 'stop'): Promise<void> {
  const all = instances('bare', units);
  const shareOf = (index: number) => all.filter((_, unit) => unit % lab.hosts.length === index);
  await Promise.all(lab.hosts.map((host, index) => host.mustExec(['systemctl', verb, '--', ...shareOf(index)])));
}

/** Makes sure, outside of what is timed, that a round did what it says. */
async function untilRunning(lab: Lab, pattern: string, count: number): Promise<void> {
  const list = ['systemctl', 'list-units', '--plain', '--no-legend', '--state=active', pattern];
  await waitUntil({
    what: `${count} units ${pattern} run`,
    read: async () => {
      const outputs = await Promise.all(lab.hosts.map((host) => host.mustExec(list)));
      return outputs.flatMap((output) => output.split('\n').filter((line) => line.includes('.service'))).length;
    },
    until: (running) => running === count,
    intervalMs: 20,
  });
}
