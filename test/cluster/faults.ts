import assert from 'node:assert/strict';
import { sleep, systemClock } from '@flotilla/runtime';
import { fleetctl, type TestHost, untilMachines, waitUntil } from '../lab/index.js';
import { type Cluster, sleeper, sleeperWith } from './cluster.js';
import { assertUntouched, type Runs, recordRuns, runsOf, untilTold } from './unit-runs.js';

/** Something that befalls the store, or the way to it. */
export interface Fault {
  readonly what: string;
  /** Hosts whose fleetd is to find out that it is out of contact. The others take orders meanwhile. @default all */
  readonly strikes?: (cluster: Cluster) => readonly TestHost[];
  readonly begin: (cluster: Cluster) => Promise<void>;
  readonly end: (cluster: Cluster) => Promise<void>;
  /** How much longer it lasts, from when the hosts that it strikes have found out. @default 0 */
  readonly lastsMs?: number;
}

const keeps = ['test-keeps-1.service', 'test-keeps-2.service', 'test-keeps-3.service'];
const comesBack = 'test-comes-back.service';
const staysDown = 'test-stays-down.service';
const obeys = 'test-obeys.service';
const global = '[X-Fleet]\nGlobal=true\n';
const restarting = `[Service]\nExecStart=/bin/sleep infinity\nRestart=always\nRestartSec=100ms\n${global}`;

/** What an order may come to where etcd is out of reach: it says which, and soon. */
const honest = /unable to communicate with etcd|it is not known whether this was done|no answer from fleetd/;

/** An answer takes one deadline of fleetctl's, 10 s, at most; the rest is for a machine that is busy. */
const hangMs = 20_000;

/** How long list-units may take to be right again. None of this is waited for needlessly; it is a few seconds. */
const soonMs = 12_000;

/** Units whose fate under a fault is known: some that nothing may touch, one that systemd restarts, one that it does not. */
export async function startSubjects(cluster: Cluster): Promise<void> {
  await cluster.start({ [comesBack]: restarting, [staysDown]: sleeperWith('Global=true') });
  await cluster.startUnits([...keeps, obeys], sleeper);
  for (const host of cluster.machines) await untilSo(host, [comesBack, staysDown], 'active');
}

/**
 * Lets a fault pass over the hosts. While it lasts, units die and systemd does with them as it always does; orders are
 * carried out, or answered honestly. Afterwards all that is told at once, orders are carried out, and nothing has become of
 * any unit that nobody asked for.
 *
 * @returns How long it took, in milliseconds, until list-units was right again, and until a start was carried out.
 */
export async function suffer(cluster: Cluster, fault: Fault): Promise<{ readonly toldMs: number; doneMs: number }> {
  const { machines } = cluster;
  const before = await recordRuns(machines);
  const struck = fault.strikes?.(cluster) ?? machines;
  await fault.begin(cluster);
  await untilOutOfContact(struck);
  const during = await killSome(machines, before);
  if (struck.length > 0) await orderHonestly(cluster, struck);
  else {
    await untilTold(cluster.anyHost, machines, soonMs);
    await startAgain(cluster);
  }
  if (fault.lastsMs !== undefined) await sleep(systemClock, fault.lastsMs);
  const touched = struck.length > 0 ? during : runsOf(during, [...keeps, comesBack]);
  await assertUntouched(touched, machines);
  await fault.end(cluster);
  const endedAtMs = systemClock.monotonicMs();
  for (const host of machines) await untilTold(host, machines, soonMs);
  const toldMs = Math.round(systemClock.monotonicMs() - endedAtMs);
  if (struck.length > 0) await startAgain(cluster);
  const doneMs = Math.round(systemClock.monotonicMs() - endedAtMs);
  for (const host of machines) await untilMachines(host, machines);
  await assertUntouched(runsOf(during, [...keeps, comesBack]), machines);
  return { toldMs, doneMs };
}

/** Orders are carried out: on every host, and what takes a leader. While etcd elects its own, they are turned down. */
async function startAgain(cluster: Cluster): Promise<void> {
  const orders = [
    ['stop', obeys],
    ['start', obeys],
    ['start', staysDown],
  ];
  for (const order of orders)
    await waitUntil({
      what: `fleetctl ${order.join(' ')}`,
      read: () => fleetctl(cluster.anyHost, order),
      until: ({ code, stderr }) => {
        if (code !== 0) assert.match(stderr, honest);
        return code === 0;
      },
      onTimeout: () => cluster.details(),
    });
  for (const host of cluster.machines) await untilSo(host, [staysDown], 'active');
}

/** Waits until fleetd on each of the hosts says that it has no contact with etcd. */
export async function untilOutOfContact(hosts: readonly TestHost[]): Promise<void> {
  for (const host of hosts)
    await waitUntil({
      what: `fleetd on ${host.name} says that it is out of contact`,
      read: async () => {
        const { stdout } = await fleetctl(host, ['list-machines']);
        return stdout;
      },
      until: (stdout) => stdout === '',
      onTimeout: () => host.journal('fleet.service'),
    });
}

/** Kills a unit that systemd starts again, and one that it does not, on every host. @returns What became of them. */
async function killSome(hosts: readonly TestHost[], before: Runs): Promise<Runs> {
  for (const host of hosts)
    await host.mustExec(['systemctl', 'kill', '--kill-who=main', '--signal=SIGKILL', comesBack, staysDown]);
  for (const host of hosts) {
    await untilSo(host, [staysDown], 'failed');
    await waitUntil({
      what: `systemd has started ${comesBack} again on ${host.name}`,
      read: async () => (await recordRuns([host])).get(`${host.name} ${comesBack}`),
      until: (run) => run?.active === 'active' && run.mainPid !== before.get(`${host.name} ${comesBack}`)?.mainPid,
    });
  }
  await assertUntouched(runsOf(before, keeps), hosts);
  return await recordRuns(hosts);
}

/** Asks each host that is out of contact for a start and for a stop, all at once. */
async function orderHonestly(cluster: Cluster, hosts: readonly TestHost[]): Promise<void> {
  const file = await cluster.unitFile('test-new.service', sleeper);
  const orders = [
    ['start', file],
    ['stop', keeps[0] ?? ''],
  ];
  await Promise.all(
    hosts.flatMap((host) =>
      orders.map(async (order) => {
        const { code, stderr } = await fleetctl(host, order, { timeoutMs: hangMs });
        assert.equal(code, 1, stderr);
        assert.match(stderr, honest);
      }),
    ),
  );
}

async function untilSo(host: TestHost, names: readonly string[], active: string): Promise<void> {
  await waitUntil({
    what: `systemd on ${host.name} says of ${names.join(' ')}: ${active}`,
    read: () => recordRuns([host]),
    until: (runs) => names.every((name) => runs.get(`${host.name} ${name}`)?.active === active),
    onTimeout: () => host.journal(),
  });
}
