import { systemClock } from '@flotilla/runtime';
import { mustFleetctl, type TestHost, waitUntil } from '../lab/index.js';
import { fileNames, type ManyFilesBench } from './directories-bench.js';
import { EtcdEvents } from './etcd-events.js';
import { lastOf } from './host-journal.js';
import { shown } from './stopwatch.js';

const timeoutMs = 300_000;

export interface BurstOptions extends ManyFilesBench {
  readonly rounds: number;
}

/** Moves many unit files into a watched directory at once, and has fleetctl start as many; leaves the last ones there. */
export async function benchBurst({ rounds, ...bench }: BurstOptions): Promise<void> {
  const { host, units, folder, lab, print } = bench;
  const events = new EtcdEvents(lab);
  const times = { settled: [] as number[], drop: [] as number[], start: [] as number[], done: [] as number[] };
  const drop = async () => {
    await prepareFiles(host, 'burst', units);
    events.clear();
    const from = { ms: systemClock.now(), monotonicMs: systemClock.monotonicMs() };
    await host.mustExec(['sh', '-c', `mv /srv/files/* ${folder}/`]);
    await untilActive(host, 'burst', units);
    const first = events.find(({ key }) => key.startsWith('dir-hosts/'));
    times.settled.push((first?.atMs ?? Number.NaN) - from.monotonicMs);
    times.drop.push((await lastOf(host, { verb: 'start', template: 'burst', fromMs: from.ms })) - from.ms);
  };
  const start = async () => {
    await prepareFiles(host, 'file', units);
    const fromMs = systemClock.now();
    await mustFleetctl(host, ['start', ...fileNames('file', units).map((name) => `${host.root}/srv/files/${name}`)], {
      timeoutMs,
    });
    times.done.push(systemClock.now() - fromMs);
    await untilActive(host, 'file', units);
    times.start.push((await lastOf(host, { verb: 'start', template: 'file', fromMs })) - fromMs);
    await mustFleetctl(host, ['destroy', ...fileNames('file', units)], { timeoutMs });
    await untilActive(host, 'file', 0);
  };
  try {
    for (let round = 0; round < rounds; round++) {
      await start();
      if (round > 0) await emptyFolder(bench);
      await drop();
    }
  } finally {
    events.close();
  }
  print(`directories: ${units} files at once, ${rounds} rounds, median (least - most)`);
  print(`  moved in, until the last unit is active by systemd   ${shown(times.drop)}`);
  print(`    until the first write to etcd: settled             ${shown(times.settled)}`);
  print(`  fleetctl start, until it is done                     ${shown(times.done)}`);
  print(`    by systemd, until the last unit is                 ${shown(times.start)}`);
}

/** Files of one unit each in /srv/files, none like the others. */
export async function prepareFiles(host: TestHost, prefix: string, units: number): Promise<void> {
  const script = [
    'rm -rf /srv/files && mkdir /srv/files && cd /srv/files',
    'for i in $(seq "$2"); do',
    `printf '[Unit]\\nDescription=%s %s\\n[Service]\\nExecStart=/bin/sleep infinity\\n' "$1" "$i" >"$1@$i.service"`,
    'done',
  ];
  await host.mustExec(['bash', '-c', script.join('\n'), 'bash', prefix, String(units)]);
}

/** Takes the files away, and says that they are meant to be away. */
async function emptyFolder({ host, folder }: ManyFilesBench): Promise<void> {
  await host.mustExec(['sh', '-c', `rm -f ${folder}/*`]);
  await waitUntil({
    what: 'the removal is held back',
    read: () => mustFleetctl(host, ['dirs', '-o', 'json']),
    until: (output) => output.includes('"most-gone"'),
    intervalMs: 500,
  });
  await mustFleetctl(host, ['dirs', 'confirm', 'burst']);
  await untilActive(host, 'burst', 0);
}

async function untilActive(host: TestHost, prefix: string, count: number): Promise<void> {
  await waitUntil({
    what: `${count} units ${prefix}@* run`,
    read: () => host.mustExec(['systemctl', 'list-units', '--plain', '--no-legend', '--state=active', `${prefix}@*`]),
    until: (output) => output.split('\n').filter((line) => line.includes('.service')).length === count,
    intervalMs: 200,
    timeoutMs,
  });
}
