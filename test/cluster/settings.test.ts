import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, afterEach, before, describe, it } from 'node:test';
import { endpointOf, fleetctl, labObstacle, mustFleetctl, type TestHost } from '../lab/index.js';
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
      await mustFleetctl(cluster.anyHost, [
        'machine',
        'metadata',
        'unset',
        '--reset',
        machineId,
        'host',
        'foo',
        'ping',
      ]);
      await mustFleetctl(cluster.anyHost, ['machine', 'limit', machineId, 'none']);
    }
    await cluster.reset();
  });

  it('PATCH machines does as fleet’s functional tests want it', async () => {
    assert.ok(one && two);
    const changed = await patch(one, [
      { op: 'add', path: `/${one.machineId}/metadata/foo`, Value: { value: 'bar' } },
      { op: 'replace', path: `/${two.machineId}/metadata/ping`, Value: { value: 'splat' } },
    ]);
    assert.deepEqual([changed.status, changed.type], [204, 'application/json']);
    const seen = await metadataOf(cluster);
    assert.deepEqual(seen.get(one.machineId), { foo: 'bar', host: one.name });
    assert.deepEqual(seen.get(two.machineId), { host: two.name, ping: 'splat' });
    const removed = await patch(two, [
      { op: 'remove', path: `/${one.machineId}/metadata/nothing` },
      { op: 'remove', path: `/${two.machineId}/metadata/nothing` },
    ]);
    assert.deepEqual([removed.status, removed.type], [204, 'application/json']);
    assert.deepEqual(await metadataOf(cluster), seen);
    for (const bad of [
      { op: 'noop', path: `/${one.machineId}/metadata/foo`, value: { value: 'bar' } },
      { op: 'add', path: `/${one.machineId}/foo`, value: { value: 'bar' } },
      { op: 'add', path: `/${one.machineId}/foo`, value: { value: '' } },
    ]) {
      const refused = await patch(one, [bad]);
      assert.deepEqual([refused.status, refused.type], [400, 'application/json']);
    }
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

/** Asks for it as fleet's tests do, without a Content-Type. */
function patch(host: TestHost, body: object): Promise<{ readonly status: number; readonly type: string | undefined }> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { socketPath: endpointOf(host).replace('unix://', ''), method: 'PATCH', path: '/fleet/v1/machines' },
      (response) => {
        response.resume();
        resolve({ status: response.statusCode ?? 0, type: response.headers['content-type'] });
      },
    );
    sent.on('error', reject);
    sent.end(JSON.stringify(body));
  });
}

async function metadataOf({ anyHost }: Cluster): Promise<Map<string, object>> {
  const { machines } = JSON.parse(await mustFleetctl(anyHost, ['list-machines', '-o', 'json']));
  return new Map(machines.map(({ id, metadata }: { id: string; metadata: object }) => [id, metadata]));
}
