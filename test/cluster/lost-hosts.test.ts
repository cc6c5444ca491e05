import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { fleetctl, labObstacle, mustFleetctl, type TestHost, untilMachines, waitUntil } from '../lab/index.js';
import { Cluster, sleeper } from './cluster.js';
import { placedByEtcd } from './placed-by-etcd.js';
import { assertUntouched, recordRuns, untilTold } from './unit-runs.js';

const names = Array.from({ length: 6 }, (_, index) => `test-${index + 1}.service`);

describe('most of three hosts are gone at once', { skip: labObstacle() }, () => {
  let cluster: Cluster;

  before(async () => {
    cluster = await Cluster.start('lost-hosts');
  });

  after(() => cluster.close());
  afterEach(async () => {
    for (const host of cluster.lab.hosts) await host.healNetwork();
    await cluster.reset();
  });

  /** The one that fleetctl goes to, and the two that a test takes away. */
  function hosts(): [TestHost, TestHost, TestHost] {
    const [stays, one, two] = cluster.lab.hosts;
    assert.ok(stays && one && two);
    return [stays, one, two];
  }

  async function untilHeldBack(): Promise<void> {
    await waitUntil({
      what: 'list-machines says that nothing is moved',
      read: async () => (await fleetctl(cluster.anyHost, ['list-machines'])).stderr,
      until: (said) => /nothing is moved: \S+ \S+, with 4 units/.test(said),
      onTimeout: () => cluster.details(),
    });
  }

  async function start(): Promise<Map<string, TestHost>> {
    await cluster.startUnits(names, sleeper);
    return cluster.untilPlaced(names);
  }

  it('cut off, they run on untouched, nothing moves, and nothing has when they are back', async () => {
    const [stays, ...gone] = hosts();
    const placed = await start();
    const [before, decided] = [await recordRuns(cluster.lab.hosts), await placedByEtcd(cluster)];
    for (const host of gone) await host.cutNetwork();
    await untilMachines(stays, [stays]);
    await untilHeldBack();
    assert.deepEqual(await placedByEtcd(cluster), decided);
    await assertUntouched(before, cluster.lab.hosts);
    for (const host of gone) await host.healNetwork();
    await untilMachines(stays, cluster.lab.hosts);
    assert.deepEqual(await cluster.untilPlaced(names), placed);
    await cluster.assertRunning(placed);
    await untilTold(stays, cluster.lab.hosts);
    await assertUntouched(before, cluster.lab.hosts);
  });

  it('powered off hard, one is released and its units move, for good; the other comes back to its own', async () => {
    const [stays, returns, lost] = hosts();
    const placed = await start();
    await Promise.all([returns, lost].map((host) => host.powerCut()));
    await untilMachines(stays, [stays]);
    await untilHeldBack();
    const said = await mustFleetctl(stays, ['machine', 'release', lost.machineId]);
    assert.match(said, /^Machine \S+ is lost: 2 units to be placed elsewhere\n$/);
    const on = (host: TestHost) => names.filter((name) => placed.get(name) === host);
    await cluster.untilRunning(stays, [...on(stays), ...on(lost)]);
    await returns.boot();
    await untilMachines(stays, [stays, returns]);
    await cluster.untilRunning(returns, on(returns));
    await lost.boot();
    await untilMachines(stays, cluster.lab.hosts);
    const now = new Map([...placed].map(([name, host]) => [name, host === lost ? stays : host]));
    assert.deepEqual(await cluster.untilPlaced(names), now);
    await cluster.assertRunning(now);
  });
});
