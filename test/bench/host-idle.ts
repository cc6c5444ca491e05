import { sleep, systemClock } from '@flotilla/runtime';
import { type Lab, showProperty, type TestHost } from '../lab/index.js';
import { callsSoFar, countedPrograms } from './host-fleetd.js';
import { type CpuTicks, percent, readCpu, readMemory } from './process-costs.js';

/** The goals of the project for a host with 1,000 units on which nothing happens. */
const goals = { cpuPercent: 0.3, rssMb: 70, mostRssMb: 90 };

/** Whatever the start of the units has left to be done is done by then. */
const settleMs = 15_000;

export interface IdleOptions {
  readonly lab: Lab;
  readonly host: TestHost;
  readonly units: number;
  readonly seconds: number;
  readonly print: (line: string) => void;
}

/** What one look at the host tells. */
interface Look {
  readonly ms: number;
  readonly revision: number;
  readonly calls: ReadonlyMap<string, readonly string[]>;
  readonly cpu: ReadonlyMap<Watched, CpuTicks>;
}

type Watched = 'fleetd' | 'systemd' | 'dbus-daemon';

/** Watches a host whose units all run while nothing happens, and says what fleetd does then. */
export async function benchIdle({ lab, host, units, seconds, print }: IdleOptions): Promise<void> {
  await sleep(systemClock, settleMs);
  const bus = await startBusMonitor(host);
  const before = await look(lab, host);
  await sleep(systemClock, seconds * 1000);
  const after = await look(lab, host);
  const busCalls = await bus.stop();
  const ms = after.ms - before.ms;
  const count = (program: string) => (after.calls.get(program)?.length ?? 0) - (before.calls.get(program)?.length ?? 0);
  const used = (who: Watched) => percent(before.cpu.get(who), after.cpu.get(who), ms);
  const [fleetd, systemd, dbus] = [used('fleetd'), used('systemd'), used('dbus-daemon')];
  print(`host: ${units} units run, ${Math.round(ms / 1000)} s in which nothing happens`);
  print(`  writes in etcd                ${after.revision - before.revision} (goal: 0)`);
  print(`  programs started              ${countedPrograms.map((name) => `${name} ${count(name)}`).join(', ')}`);
  print('                                (goal: 0; systemd-notify is the sign of life for systemd)');
  print(`  calls on D-Bus to systemd     ${busCalls} (goal: 0; those of busctl among them)`);
  print(`  processor time, of one core   fleetd ${fleetd.own}, what it started ${fleetd.children}`);
  print(`                                (goal: below ${goals.cpuPercent} % in all)`);
  print(`                                systemd ${systemd.own}, dbus-daemon ${dbus.own}`);
  const memory = await readMemory(host, await showProperty(host, 'fleet.service', 'MainPID'));
  print(`  resident memory of fleetd     ${memory.rssMb} MB (goal: ${goals.rssMb}, at most ${goals.mostRssMb})`);
  print(`                                own ${memory.anonMb} MB, of Node's program ${memory.fileMb} MB,`);
  print(`                                its share of what is shared counted (Pss) ${memory.pssMb} MB,`);
  print(`                                at its peak ${memory.peakMb} MB`);
}

async function look(lab: Lab, host: TestHost): Promise<Look> {
  const pids: Record<Watched, string> = {
    fleetd: await showProperty(host, 'fleet.service', 'MainPID'),
    systemd: '1',
    'dbus-daemon': await showProperty(host, 'dbus.service', 'MainPID'),
  };
  const calls = await callsSoFar(host);
  const revision = await readRevision(lab);
  const cpu = new Map<Watched, CpuTicks>();
  for (const who of ['fleetd', 'systemd', 'dbus-daemon'] as const) cpu.set(who, await readCpu(host, pids[who]));
  return { ms: systemClock.monotonicMs(), revision, calls, cpu };
}

/** Each write in etcd raises its revision; a keepalive does not. */
export async function readRevision(lab: Lab): Promise<number> {
  const text = await lab.etcdctl(['get', 'any', '--write-out=json']);
  const answer: { readonly header: { readonly revision: number } } = JSON.parse(text);
  return answer.header.revision;
}

/** Counts the calls to systemd that go over the bus; those of systemctl, run by root, go another way. */
async function startBusMonitor(host: TestHost): Promise<{ stop(): Promise<number> }> {
  const file = '/run/bench-bus';
  const rule = 'type=method_call,destination=org.freedesktop.systemd1';
  const command = `dbus-monitor --system --profile ${rule} >${file}`;
  // It notices SIGTERM when the next message comes, which on an idle bus is never.
  const settings = ['--collect', '--property=KillSignal=SIGKILL'];
  await host.mustExec(['systemd-run', '--unit=bench-bus', ...settings, 'sh', '-c', command]);
  await sleep(systemClock, 500);
  return {
    stop: async () => {
      const { stdout } = await host.exec(['grep', '-c', '^mc', file]);
      await host.mustExec(['systemctl', 'stop', 'bench-bus.service']);
      return Number(stdout);
    },
  };
}
