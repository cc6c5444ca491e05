import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, afterEach, before, describe, it } from 'node:test';
import { endpointOf, fleetctl, isLong, labObstacle, type TestHost, untilMachines } from '../lab/index.js';
import { untilAnotherFleetd } from './another-fleetd.js';
import { Cluster, sleeper, sleeperWith } from './cluster.js';
import { assertUntouched, recordRuns } from './unit-runs.js';

const names = Array.from({ length: 6 }, (_, index) => `test-${index + 1}.service`);
const ends = isLong ? 100 : 6;

const restart = ['systemctl', 'restart', 'fleet.service'];
const kill = ['systemctl', 'kill', '--kill-who=main', '--signal=SIGKILL', 'fleet.service'];

describe('a fleetd that ends and starts again', { skip: labObstacle() }, () => {
  let cluster: Cluster;

  before(async () => {
    cluster = await Cluster.start('restart');
  });

  after(() => cluster.close());
  afterEach(() => cluster.reset());

  const startAll = async () => {
    await cluster.startUnits(names, sleeper);
    await cluster.start({ 'test-global.service': sleeperWith('Global=true') });
    const placed = await cluster.untilPlaced(names);
    for (const host of cluster.lab.hosts) {
      const here = names.filter((name) => placed.get(name) === host);
      await cluster.untilRunning(host, [...here, 'test-global.service']);
    }
    return await recordRuns(cluster.lab.hosts);
  };

  /** Has a host's fleetd end in some way, and waits until another one is a machine of the cluster. */
  const untilAnother = async (host: TestHost, argv: readonly string[]) => {
    await untilAnotherFleetd(host, argv);
    await untilMachines(host, cluster.lab.hosts);
  };

  it('changes no unit, whoever is being started and destroyed meanwhile', async () => {
    const runs = await startAll();
    let isOver = false;
    const others = async () => {
      const path = await cluster.unitFile('test-other@.service', sleeper);
      for (let count = 1; !isOver; count++) {
        const unit = path.replace('@', `@${count % 3}`);
        const [host] = cluster.lab.hosts.slice(count % cluster.lab.hosts.length);
        // What is under way when a fleetd is killed comes to nothing.
        if (host !== undefined) await fleetctl(host, ['start', '--no-block', unit]);
        if (host !== undefined) await fleetctl(host, ['destroy', `test-other@${(count + 1) % 3}.service`]);
      }
    };
    const busy = others();
    try {
      for (let end = 0; end < ends; end++) {
        const [host] = cluster.lab.hosts.slice(end % cluster.lab.hosts.length);
        if (host !== undefined) await untilAnother(host, end % 2 === 0 ? restart : kill);
        await assertUntouched(runs, cluster.lab.hosts);
      }
    } finally {
      isOver = true;
      await busy;
    }
    await assertUntouched(runs, cluster.lab.hosts);
  });

  /** The machine's record as etcd has it, lease and revisions included. */
  const recordOf = (host: TestHost) => {
    const key = `/_coreos.com/fleet/machines/${host.machineId}`;
    return cluster.lab.etcdctl(['get', key, '--write-out=fields']);
  };

  it('changes no unit when its program is another one by then, and its notes on the lease are lost', async () => {
    const runs = await startAll();
    const [host] = cluster.lab.hosts;
    assert.ok(host);
    await host.mustExec(['sh', '-c', 'cp /opt/fleet/fleetd /opt/fleet/new && echo "// newer" >>/opt/fleet/new']);
    await host.mustExec(['sh', '-c', 'chmod 755 /opt/fleet/new && mv /opt/fleet/new /opt/fleet/fleetd']);
    await host.mustExec(['rm', '/var/lib/fleet/lease.json']);
    const record = keyOf(await recordOf(host));
    await untilAnother(host, restart);
    assert.deepEqual(keyOf(await recordOf(host)), record);
    await assertUntouched(runs, cluster.lab.hosts);
  });

  it('lets who asks it meanwhile wait for the answer, and never says that etcd is away', async () => {
    const [host] = cluster.lab.hosts;
    assert.ok(host);
    const statuses: (number | string)[] = [];
    let isOver = false;
    const asking = async () => {
      while (!isOver) statuses.push(await statusOf(endpointOf(host).replace('unix://', '')));
    };
    const clients = Array.from({ length: 4 }, asking);
    for (let count = 0; count < 3; count++) await untilAnother(host, restart);
    isOver = true;
    await Promise.all(clients);
    // A connection that was just being made when the old process went away may be cut.
    assert.deepEqual([...new Set(statuses)].filter((status) => status !== 'ECONNRESET').sort(), [200]);
  });
});

/** What of `etcdctl get` is about the key, not about the store. */
function keyOf(fields: string): string[] {
  return fields.split('\n').filter((line) => /^"(Key|CreateRevision|ModRevision|Value|Lease)"/.test(line));
}

/** The status of an answer to who asks for the machines, or why there is none. */
function statusOf(socketPath: string): Promise<number | string> {
  return new Promise((resolve) => {
    const asked = request({ socketPath, path: '/fleet/v1/machines', agent: false }, (response) => {
      response.resume();
      response.on('close', () => resolve(response.statusCode ?? 0));
    });
    asked.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    asked.end();
  });
}
