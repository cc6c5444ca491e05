import { fleetctl, mustFleetctl, type TestHost, waitUntil } from '../lab/index.js';
import { instances } from './host-fleetd.js';
import { shown, timed } from './stopwatch.js';

export interface CrashOptions {
  readonly host: TestHost;
  readonly rounds: number;
  readonly print: (line: string) => void;
}

/** Kills units of an idle host one by one, and says how long it takes until list-units calls each failed. */
export async function benchCrash({ host, rounds, print }: CrashOptions): Promise<void> {
  const list = ['list-units', '--no-legend', '--fields=unit,active'];
  const told: number[] = [];
  const listed: number[] = [];
  for (const unit of instances('fleet', rounds)) {
    listed.push(await timed(() => mustFleetctl(host, list)));
    await host.mustExec(['systemctl', 'kill', '--signal=SIGKILL', unit]);
    const isTold = (stdout: string) => stdout.split('\n').some((line) => line.startsWith(unit) && /failed$/.test(line));
    const until = waitUntil({
      what: `${unit} has failed by list-units`,
      read: async () => (await fleetctl(host, list)).stdout,
      until: isTold,
      intervalMs: 10,
    });
    told.push(await timed(() => until));
  }
  print(`host: one unit is killed, ${rounds} times`);
  print(`  until list-units says so               ${shown(told)}`);
  print(`    of that, list-units by itself        ${shown(listed)}`);
}
