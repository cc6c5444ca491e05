import { createClient } from '@flotilla/client';
import { sleep, systemClock } from '@flotilla/runtime';
import { endpointOf, type Lab, mustFleetctl, showProperty, type TestHost } from '../lab/index.js';
import { type Marks, printStages } from './cli-stages.js';
import { EtcdEvents } from './etcd-events.js';
import { sleeper } from './host-fleetd.js';
import { type LogEntry, readLogs } from './host-journal.js';
import { median, percentile } from './stopwatch.js';

/** The goal of the project for the median of one unit, from its submission to its running. */
const goalMs = 150;

/** Long enough that nothing of the last unit is under way any more. */
const settleMs = 150;

export interface SingleStartsOptions {
  readonly lab: Lab;
  readonly runs: number;
  readonly print: (line: string) => void;
}

/** Starts single new units on an idle cluster by a request, by fleetctl, and by bare systemctl, in turns; says where the time goes. */
export async function benchSingleStarts({ lab, runs, print }: SingleStartsOptions): Promise<void> {
  const starts = new SingleStarts(lab);
  try {
    // Whatever is done once in a daemon's life is not measured.
    await starts.byRequest();
    for (let run = 0; run < runs; run++)
      for (const way of run % 2
        ? (['bare', 'fleetctl', 'request'] as const)
        : (['request', 'fleetctl', 'bare'] as const))
        await starts.run(way);
    print(`cli: one new unit on an idle cluster of three hosts, ${runs} runs each way, in milliseconds`);
    printStages('request', await starts.marksOf('request'), print);
    printStages('fleetctl start', await starts.marksOf('fleetctl'), print);
    print('  bare systemctl on one host');
    for (const [what, times] of starts.bare)
      print(`    ${what.padEnd(38)} p50 ${median(times).toFixed(0)}  p99 ${percentile(times, 99).toFixed(0)}`);
    print(`  goal: p50 of "active in systemd" after a request at most ${goalMs} ms`);
  } finally {
    starts.close();
  }
}

interface Run {
  readonly host: TestHost;
  readonly unit: string;
  readonly startMs: number;
  readonly marks: Marks;
}

class SingleStarts {
  readonly bare = new Map<string, number[]>();
  readonly #runs = { request: [] as Run[], fleetctl: [] as Run[] };
  readonly #lab: Lab;
  readonly #host: TestHost;
  readonly #events: EtcdEvents;
  #count = 0;

  constructor(lab: Lab) {
    const [host] = lab.hosts;
    if (host === undefined) throw new Error('the lab has no hosts');
    this.#lab = lab;
    this.#host = host;
    this.#events = new EtcdEvents(lab);
  }

  async run(way: 'request' | 'fleetctl' | 'bare'): Promise<void> {
    if (way === 'request') this.#runs.request.push(await this.byRequest());
    else if (way === 'fleetctl') this.#runs.fleetctl.push(await this.#byFleetctl());
    else await this.#byBareSystemctl();
  }

  async byRequest(): Promise<Run> {
    const client = createClient({ endpoint: endpointOf(this.#host) });
    try {
      // A connection is there, as it is for a fleetctl that has asked whether the unit exists.
      await client.findUnit('nothing.service');
      return await this.#watched(async (name, startMs) => {
        const options = [{ section: 'Service', name: 'ExecStart', value: '/bin/sleep infinity' }];
        await client.batch([{ op: 'put', unit: { name, desiredState: 'launched', file: sleeper, options } }]);
        return { 'API has answered': systemClock.monotonicMs() - startMs };
      });
    } finally {
      client.close();
    }
  }

  async #byFleetctl(): Promise<Run> {
    return await this.#watched(async (_unit, startMs, file) => {
      await mustFleetctl(this.#host, ['start', file]);
      return { 'fleetctl has ended': systemClock.monotonicMs() - startMs };
    });
  }

  async #byBareSystemctl(): Promise<void> {
    const name = `bare-${++this.#count}.service`;
    const script = [
      'a=$EPOCHREALTIME',
      `printf '%s' "$2" >"/opt/$1" && systemctl --quiet link --runtime --no-reload "/opt/$1"`,
      'b=$EPOCHREALTIME; systemctl start "$1"; c=$EPOCHREALTIME',
      'echo $a $b $c',
      'systemctl stop "$1"; rm "/opt/$1" "/run/systemd/system/$1"',
    ];
    const output = await this.#host.mustExec(['bash', '-c', script.join('\n'), 'bash', name, sleeper]);
    const [a = Number.NaN, b = Number.NaN, c = Number.NaN] = output.trim().split(' ').map(Number);
    for (const [what, seconds] of [
      ['systemctl start of a linked file', c - b],
      ['writing the file, systemctl link, start', c - a],
    ] as const)
      this.bare.set(what, [...(this.bare.get(what) ?? []), seconds * 1000]);
    await sleep(systemClock, settleMs);
  }

  /** What `start` marks, and what etcd and systemd say of that unit. */
  async #watched(start: (name: string, startMs: number, file: string) => Promise<Marks>): Promise<Run> {
    const unit = `new-${++this.#count}.service`;
    const path = `/root/${unit}`;
    await this.#host.writeFile(path, sleeper);
    this.#events.clear();
    const startMs = systemClock.monotonicMs();
    const own = await start(unit, startMs, `${this.#host.root}${path}`);
    const row = await this.#events.until(`${unit} is active`, ({ key, value }) => {
      return key.startsWith(`states/${unit}/`) && value?.includes('"active":"active"') === true;
    });
    const host = this.#lab.hosts.find(({ machineId }) => row.key.endsWith(machineId));
    if (host === undefined) throw new Error(`no host of the lab runs ${unit}`);
    const activeMicros = Number(await showProperty(host, unit, 'ActiveEnterTimestampMonotonic'));
    const key = (name: string) => (this.#events.find((event) => event.key === name)?.atMs ?? Number.NaN) - startMs;
    const marks = {
      'record in etcd': key(`units/${unit}`),
      'placement in etcd': key(`schedule/${host.machineId}/${unit}`),
      'active in systemd': activeMicros / 1000 - startMs,
      'row in etcd': row.atMs - startMs,
      ...own,
    };
    await mustFleetctl(this.#host, ['destroy', unit]);
    await sleep(systemClock, settleMs);
    return { host, unit, startMs, marks };
  }

  /** With what the hosts' agents have logged. */
  async marksOf(way: 'request' | 'fleetctl'): Promise<Marks[]> {
    const logs = new Map<TestHost, readonly LogEntry[]>();
    for (const host of this.#lab.hosts) logs.set(host, await readLogs(host));
    return this.#runs[way].map(({ host, startMs, marks }) => {
      const log = (text: string) => {
        const entry = logs.get(host)?.find(({ message, atMs }) => atMs >= startMs && message.startsWith(text));
        return (entry?.atMs ?? Number.NaN) - startMs;
      };
      return {
        ...marks,
        'agent has read its orders': log('loading units'),
        'file written and linked': log('starting units'),
      };
    });
  }

  close(): void {
    this.#events.close();
  }
}
