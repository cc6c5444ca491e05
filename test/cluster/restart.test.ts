import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { labObstacle, type TestHost, untilMachines, waitUntil } from '../lab/index.js';
import { Cluster, mainPids, sleeper } from './cluster.js';

const names = Array.from({ length: 6 }, (_, index) => `test-${index + 1}.service`);

describe('a fleetd that ends and starts again', { skip: labObstacle() }, () => {
  let cluster: Cluster;

  before(async () => {
    cluster = await Cluster.start('restart');
  });

  after(() => cluster.close());
  afterEach(() => cluster.reset());

  /** Main PIDs on each host, with the host's name. */
  const allPids = async (placed: ReadonlyMap<string, TestHost>): Promise<Map<string, string>> => {
    const pids = new Map<string, string>();
    for (const host of cluster.lab.hosts) {
      const here = names.filter((name) => placed.get(name) === host);
      for (const [name, pid] of await mainPids(host, here)) pids.set(`${host.name} ${name}`, pid);
    }
    return pids;
  };

  const fleetdPid = async (host: TestHost): Promise<string> =>
    (await mainPids(host, ['fleet.service'])).get('fleet.service') ?? '';

  const ways: Readonly<Record<string, readonly string[]>> = {
    'systemctl restart': ['systemctl', 'restart', 'fleet.service'],
    'SIGKILL, and systemd starts it again': ['systemctl', 'kill', '--signal=SIGKILL', 'fleet.service'],
  };

  for (const [title, argv] of Object.entries(ways)) {
    it(`changes no unit: ${title}`, async () => {
      await cluster.startUnits(names, sleeper);
      const placed = await cluster.untilPlaced(names);
      const pids = await allPids(placed);
      assert.equal(pids.size, names.length);
      for (const host of cluster.lab.hosts) {
        const before = await fleetdPid(host);
        await host.mustExec(argv);
        await waitUntil({
          what: `another fleetd runs on ${host.name}`,
          read: () => fleetdPid(host),
          until: (pid) => pid !== '0' && pid !== before,
          onTimeout: () => host.journal('fleet.service'),
        });
      }
      for (const host of cluster.lab.hosts) await untilMachines(host, cluster.lab.hosts);
      assert.deepEqual(await cluster.untilPlaced(names), placed);
      assert.deepEqual(await allPids(placed), pids);
    });
  }
});
