import { sleep, systemClock } from '@flotilla/runtime';
import { type Lab, showProperty } from '../lab/index.js';
import type { ManyFilesBench } from './directories-bench.js';
import { percent, readCpu } from './process-costs.js';

/** Whatever is left to be done is done by then. */
const settleMs = 15_000;

/** etcd's calls that read or write keys; leases and watches are streams that are open anyway. */
const operations = ['Range', 'Txn', 'Put', 'DeleteRange'] as const;

export interface DirectoriesIdleOptions extends ManyFilesBench {
  readonly seconds: number;
}

/** Watches a host while nothing happens to the many files of its directory. */
export async function benchDirectoriesIdle(options: DirectoriesIdleOptions): Promise<void> {
  const { lab, host, units, seconds, print } = options;
  await sleep(systemClock, settleMs);
  const pid = await showProperty(host, 'fleet.service', 'MainPID');
  const look = async () => ({
    cpu: await readCpu(host, pid),
    calls: await readCalls(lab),
    ms: systemClock.monotonicMs(),
  });
  const before = await look();
  await sleep(systemClock, seconds * 1000);
  const after = await look();
  const ms = after.ms - before.ms;
  const counts = operations.map((name) => `${name} ${(after.calls.get(name) ?? 0) - (before.calls.get(name) ?? 0)}`);
  const used = percent(before.cpu, after.cpu, ms);
  print(`directories: ${units} files are watched, ${Math.round(ms / 1000)} s in which nothing happens`);
  print(`  operations in etcd            ${counts.join(', ')} (goal: 0)`);
  print(`  processor time, of one core   fleetd ${used.own}, what it started ${used.children}`);
}

/** How many calls of each kind etcd has answered. */
async function readCalls(lab: Lab): Promise<ReadonlyMap<string, number>> {
  const [url = ''] = lab.etcdUrls.split(',');
  const script = 'fetch(process.argv[1]).then((answer) => answer.text()).then((text) => console.log(text))';
  const text = await lab.mustExec([process.execPath, '-e', script, `${url}/metrics`]);
  const calls = new Map<string, number>();
  for (const [, method = '', count] of text.matchAll(/^grpc_server_handled_total\{.*grpc_method="(\w+)".*\} (\S+)$/gm))
    calls.set(method, (calls.get(method) ?? 0) + Number(count));
  if (!calls.has('Txn')) throw new Error(`etcd does not say how many calls it has answered: ${text.slice(0, 200)}`);
  return calls;
}
