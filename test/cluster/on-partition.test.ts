import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import {
  fleetctl,
  isLong,
  labObstacle,
  mustFleetctl,
  type NetworkCut,
  showUnits,
  type TestHost,
  untilMachines,
  waitUntil,
} from '../lab/index.js';
import { Cluster, mainPids } from './cluster.js';

const cuts = isLong ? 20 : 2;

/** How a host loses contact, and what happens besides. */
interface Cut {
  readonly how: NetworkCut;
  /** Its fleetd is killed, and started by systemd, while contact is lost. */
  readonly restarts?: boolean;
  /** A person says that it is lost as soon as its lease is over. */
  readonly releases?: boolean;
}

const kinds: readonly Cut[] = [
  { how: 'cable', restarts: true },
  { how: 'refusal', releases: true },
  { how: 'cable' },
  { how: 'refusal', restarts: true },
  { how: 'silence', releases: true },
  { how: 'silence', restarts: true, releases: true },
  { how: 'refusal' },
];

const stubborn = 'test-stubborn.service';
const willing = 'test-willing.service';
const plain = 'test-plain.service';
const exclusive = [stubborn, willing];
const commands = {
  [stubborn]: `/bin/sh -c 'trap "" TERM; exec sleep infinity'`,
  [willing]: '/bin/sleep infinity\nExecStop=/bin/sleep 0.5',
  [plain]: '/bin/sleep infinity',
};

describe('a unit that must not run twice', { skip: labObstacle() }, () => {
  let cluster: Cluster;
  const margins: number[] = [];

  before(async () => {
    cluster = await Cluster.start('on-partition');
    // Nothing else is to make units wait: not that others have moved a moment ago, nor that a host may be back.
    await mustFleetctl(cluster.anyHost, ['settings', 'set', 'loss_burst=100%', 'loss_settle=0s']);
  });

  after(() => cluster.close());

  /** Starts units, so that all are on one host. */
  async function startOn(host: TestHost): Promise<void> {
    const rule = (name: string) => (exclusive.includes(name) ? 'OnPartition=stop\nOnPartitionStopSec=3s\n' : '');
    const text = ([name, command]: [string, string]) =>
      `[Service]\nExecStart=${command}\nRestart=always\n[X-Fleet]\nPreferMachineMetadata=1000:host=${host.name}\n${rule(name)}`;
    await cluster.start(Object.fromEntries(Object.entries(commands).map((entry) => [entry[0], text(entry)])));
    for (const at of (await cluster.untilPlaced(Object.keys(commands))).values()) assert.equal(at, host);
  }

  async function cutOff(host: TestHost, { how, restarts, releases }: Cut): Promise<void> {
    const [stays] = cluster.lab.hosts;
    assert.ok(stays);
    await host.cutNetwork(how);
    if (restarts === true) await host.mustExec(['systemctl', 'kill', '--signal=KILL', 'fleet.service']);
    if (releases !== true) return;
    await waitUntil({
      what: `${host.name} can be released`,
      read: () => fleetctl(stays, ['machine', 'release', host.machineId]),
      until: ({ code }) => code === 0,
    });
  }

  /** Waits until a unit runs on another host than this one. @returns When it began to start there, in microseconds. */
  async function untilElsewhere(unit: string, host: TestHost): Promise<number> {
    const others = cluster.lab.hosts.filter((each) => each !== host);
    const times = await waitUntil({
      what: `${unit} runs elsewhere than on ${host.name}`,
      read: () => Promise.all(others.map(async (other) => (await timesOf(other, unit)).upUs)),
      until: (seen) => seen.some((upUs) => upUs !== undefined),
      timeoutMs: 60_000,
      onTimeout: () => cluster.details(),
    });
    return Math.min(...times.flatMap((upUs) => upUs ?? []));
  }

  /** Destroys the units, without the minute and a half that systemd gives to one that does not stop. */
  async function destroyAll(): Promise<void> {
    await mustFleetctl(cluster.anyHost, ['destroy', '--no-block', ...Object.keys(commands)]);
    await waitUntil({
      what: 'no host has any of the units',
      read: async () => {
        const kill = ['systemctl', 'kill', '--signal=KILL', stubborn];
        return await Promise.all(cluster.lab.hosts.map(async (host) => (await host.exec(kill)).code));
      },
      until: (codes) => !codes.includes(0),
      onTimeout: () => cluster.details(),
    });
    for (const host of cluster.lab.hosts) await cluster.untilRunning(host, []);
  }

  async function cutOnce(context: TestContext, number: number): Promise<void> {
    const [, ...targets] = cluster.lab.hosts;
    const host = targets[number % targets.length];
    const kind = kinds[number % kinds.length];
    assert.ok(host && kind);
    await startOn(host);
    const before = await mainPids(host, [plain]);
    await cutOff(host, kind);
    const ups = await Promise.all(exclusive.map((unit) => untilElsewhere(unit, host)));
    for (const [at, unit] of exclusive.entries()) {
      const { upUs, downUs } = await timesOf(host, unit);
      assert.equal(upUs, undefined, `${unit} is down on ${host.name}\n${await cluster.details()}`);
      const marginMs = Math.round(((ups[at] ?? 0) - downUs) / 1000);
      margins.push(marginMs);
      assert.ok(
        marginMs > 0,
        `${unit} was down ${marginMs} ms before it started elsewhere\n${await cluster.details()}`,
      );
    }
    await untilElsewhere(plain, host);
    assert.deepEqual(await mainPids(host, [plain]), before);
    await host.healNetwork();
    for (const each of cluster.lab.hosts) await untilMachines(each, cluster.lab.hosts);
    await cluster.assertRunning(await cluster.untilPlaced(Object.keys(commands)));
    if (number + 1 < cuts) await destroyAll();
    context.diagnostic(`cut ${number + 1}, ${JSON.stringify(kind)}: least margin until now ${Math.min(...margins)} ms`);
  }

  it(`is down on a host that is cut off before it starts elsewhere, ${cuts} times`, async (context) => {
    for (let number = 0; number < cuts; number++) await cutOnce(context, number);
  });
});

/** When a unit began to start, if it is up, and when it was down last; in microseconds on the clock of the kernel, which hosts share. */
async function timesOf(host: TestHost, unit: string): Promise<{ readonly upUs: number | undefined; downUs: number }> {
  const properties = ['ActiveState', 'InactiveExitTimestampMonotonic', 'InactiveEnterTimestampMonotonic'];
  const [found] = await showUnits(host, properties, [unit]);
  const [state, up, down] = properties.map((property) => found?.get(property));
  const isDown = state === 'inactive' || state === 'failed';
  return { upUs: isDown ? undefined : Number(up), downUs: Number(down) };
}
