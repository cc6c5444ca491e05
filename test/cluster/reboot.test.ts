import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { labObstacle, type TestHost, untilMachines, waitUntil } from '../lab/index.js';
import { Cluster, sleeper, sleeperWith } from './cluster.js';
import { assertUntouched, recordRuns, runsOf, untilTold } from './unit-runs.js';

const names = Array.from({ length: 4 }, (_, index) => `test-${index + 1}.service`);
const [global, installed, once, confined] = ['test-g.service', 'test-i.service', 'test-once.service', 'test-p.service'];
const ranAt = '/var/lib/test-once';
const onSecond = 'MachineMetadata=host=host-2';
const texts: Readonly<Record<string, string>> = {
  ...Object.fromEntries(names.map((name) => [name, sleeper])),
  [global]: sleeperWith('Global=true'),
  [installed]: `${sleeperWith(onSecond)}[Install]\nWantedBy=multi-user.target\n`,
  [once]: `[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo ran >>${ranAt}'\n[X-Fleet]\n${onSecond}\n`,
  [confined]: sleeperWith(onSecond, 'OnPartition=stop'),
};

describe('a host that boots', { skip: labObstacle() }, () => {
  let cluster: Cluster;
  let steady: TestHost;
  let booted: TestHost;

  before(async () => {
    cluster = await Cluster.start('reboot', { hosts: 2 });
    const [one, two] = cluster.lab.hosts;
    assert.ok(one && two);
    [steady, booted] = [one, two];
  });

  after(() => cluster.close());
  afterEach(async () => {
    for (const member of cluster.lab.etcd) if ((await etcdIsDown()) === true) await member.start();
    for (const host of cluster.lab.hosts) await host.healNetwork();
    await cluster.reset();
    await booted.mustExec(['rm', '-f', ranAt]);
  });

  const etcdIsDown = async () => {
    const health = ['etcdctl', '--endpoints', cluster.lab.etcdUrls, '--command-timeout=2s', 'endpoint', 'health'];
    return (await cluster.lab.exec(health)).code !== 0;
  };

  /** Waits until the oneshot has run so often; once more would be once too often. */
  const untilRan = async (times: number) => {
    const read = async () => (await booted.readFile(ranAt)).trim().split('\n').length;
    assert.equal(await waitUntil({ what: `${once} ran`, read, until: (count) => count >= times }), times);
  };

  /** Starts everything. @returns What is to run on the host that boots, by where it was placed. */
  const startAll = async (): Promise<string[]> => {
    await cluster.start(texts);
    const placed = await cluster.untilPlaced(names);
    await cluster.untilRunning(booted, [...here(placed), global, installed, confined]);
    return here(placed);
  };
  const here = (placed: ReadonlyMap<string, TestHost>) => names.filter((name) => placed.get(name) === booted);

  /** fleetd's journal since the host booted last. */
  const journal = async (): Promise<string> => {
    const { stdout } = await booted.exec(['journalctl', '--boot', '--no-pager', '--unit=fleet.service']);
    return stdout;
  };

  /** Has the lease of the host that boots outlive the boot, however busy the machine is. */
  const giveLongLease = async () => {
    const runs = await recordRuns([booted]);
    await booted.writeFile(
      '/etc/systemd/system/fleet.service.d/ttl.conf',
      '[Service]\nEnvironment=FLEET_AGENT_TTL=12s\n',
    );
    await booted.mustExec(['systemctl', 'daemon-reload']);
    await booted.mustExec(['systemctl', 'restart', 'fleet.service']);
    const key = `/_coreos.com/fleet/machines/${booted.machineId}`;
    await waitUntil({
      what: 'its record says how long its lease lives',
      read: () => cluster.lab.etcdctl(['get', key]),
      until: (record) => record.includes('"ttlSeconds":12'),
      onTimeout: journal,
    });
    await assertUntouched(runs, [booted]);
  };

  it('without etcd runs its own units again, and etcd’s return changes none of them', async () => {
    const own = await startAll();
    const others = await recordRuns([steady]);
    await untilRan(1);
    for (const member of cluster.lab.etcd) await member.signal('SIGKILL');
    await booted.powerCut();
    await booted.boot();
    await cluster.untilRunning(booted, [...own, global, installed]);
    await untilRan(2);
    await assertUntouched(others, [steady]);
    const runs = await recordRuns([booted]);

    for (const member of cluster.lab.etcd) await member.start();
    await untilMachines(steady, [steady, booted]);
    await untilMachines(booted, [steady, booted]);
    // Not to run twice, so it had to wait; it comes last, so by then all else has been looked at.
    await cluster.untilRunning(booted, [...own, global, installed, confined]);
    await untilTold(steady, [steady, booted]);
    await assertUntouched(runsOf(runs, [...own, global, installed, once]), [booted]);
    await assertUntouched(others, [steady]);
    await untilRan(2);
  });

  it('that could not leave when it was shut down runs what has gone elsewhere, until it is told so', async () => {
    const own = await startAll();
    const others = await recordRuns([steady]);
    await booted.cutNetwork('silence');
    await booted.powerOff();
    await booted.boot();
    await cluster.untilRunning(booted, [...own, global, installed]);
    await cluster.untilRunning(steady, [...names, global]);
    const runs = await recordRuns([booted]);
    const moved = runsOf(await recordRuns([steady]), own);

    await booted.healNetwork();
    await cluster.untilRunning(booted, [global, installed, confined]);
    await assertUntouched(runsOf(runs, [global, installed]), [booted]);
    await assertUntouched(moved, [steady]);
    await assertUntouched(others, [steady]);
    await untilRan(2);
  });

  it('after a power cut waits for the end of its own lease, and is given back what it had', async () => {
    const own = await startAll();
    const others = await recordRuns([steady]);
    await giveLongLease();
    await booted.powerCut();
    await booted.boot();
    await untilMachines(booted, [steady, booted]);
    await cluster.untilRunning(booted, [...own, global, installed, confined]);
    const said = await journal();
    assert.equal(said.match(/waiting for an earlier record of this machine/g)?.length, 1, said);
    assert.doesNotMatch(said, /another host has the same machine ID|starting units as they were ordered last/);
    await assertUntouched(others, [steady]);
    await untilRan(2);
  });
});
