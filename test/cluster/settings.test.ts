import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { fleetctl, labObstacle, mustFleetctl, type TestHost } from '../lab/index.js';
import { Cluster, sleeper } from './cluster.js';

const [first, second, third] = ['test-a.service', 'test-b.service', 'test-c.service'];

describe('settings, metadata and limits', { skip: labObstacle() }, () => {
  let cluster: Cluster;
  let [one, two]: TestHost[] = [];

  before(async () => {
    cluster = await Cluster.start('settings', { hosts: 2 });
    [one, two] = cluster.lab.hosts;
  });

  after(() => cluster.close());
  afterEach(async () => {
    await mustFleetctl(cluster.anyHost, ['settings', 'unset', 'strategy', 'max_units']);
    for (const { machineId } of cluster.lab.hosts) {
      await mustFleetctl(cluster.anyHost, ['machine', 'metadata', 'unset', '--reset', machineId, 'host']);
      await mustFleetctl(cluster.anyHost, ['machine', 'limit', machineId, 'none']);
    }
    await cluster.reset();
  });

  it('a unit follows metadata from host to host, and the host’s own come back', async () => {
    assert.ok(one && two);
    await cluster.startUnits([first], `${sleeper}[X-Fleet]\nMachineMetadata=host=${one.name}\n`);
    await cluster.assertRunning(new Map([[first, one]]));
    await mustFleetctl(two, ['machine', 'metadata', 'set', two.machineId.slice(0, 8), `host=${one.name}`]);
    await cluster.assertRunning(new Map([[first, one]]));
    const { stderr } = await fleetctl(two, ['machine', 'metadata', 'unset', one.machineId, 'host']);
    assert.match(stderr, /unset --reset/);
    await cluster.assertRunning(new Map([[first, two]]));
    for (const host of [one, two])
      await mustFleetctl(one, ['machine', 'metadata', 'unset', '--reset', host.machineId, 'host']);
    await cluster.assertRunning(new Map([[first, one]]));
  });

  it('strategy and limits decide where new units go, and what waits starts when there is room', async () => {
    assert.ok(one && two);
    await mustFleetctl(one, ['settings', 'set', 'strategy=binpack', 'max_units=2']);
    await cluster.startUnits([first, second], sleeper);
    const placed = await cluster.untilPlaced([first, second]);
    const full = placed.get(first);
    assert.ok(full);
    assert.equal(placed.get(second), full);
    const other = full === one ? two : one;
    await mustFleetctl(one, ['machine', 'limit', other.machineId, '1']);
    await cluster.startUnits([third], sleeper);
    await cluster.assertRunning(
      new Map([
        [first, full],
        [second, full],
        [third, other],
      ]),
    );
    const path = await cluster.unitFile('test-d.service', sleeper);
    const waits = await fleetctl(cluster.anyHost, ['start', '--wait=1s', path]);
    assert.equal(waits.code, 2);
    assert.match(waits.stderr, /2 machines: 2 are full/);
    await mustFleetctl(one, ['machine', 'limit', other.machineId, 'none']);
    await cluster.untilRunning(other, [third, 'test-d.service']);
  });
});
