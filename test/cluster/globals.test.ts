import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { labObstacle, mustFleetctl, type TestHost } from '../lab/index.js';
import { Cluster } from './cluster.js';

const [web, agent] = ['test-web.service', 'test-agent.service'];

/** Takes 3 seconds to stop, and fails where the other one has not stopped when it starts. */
function slowUnit(own: string, other: string, options: string): string {
  return `[Service]
ExecStartPre=/usr/bin/test ! -e /run/${other}.up
ExecStartPre=/usr/bin/touch /run/${own}.up
ExecStart=/bin/sleep infinity
ExecStop=/bin/sleep 3
ExecStopPost=/bin/rm -f /run/${own}.up

[X-Fleet]
${options}
`;
}

describe('global units', { skip: labObstacle() }, () => {
  let cluster: Cluster;

  before(async () => {
    cluster = await Cluster.start('globals');
  });

  after(() => cluster.close());
  afterEach(() => cluster.reset());

  /** Where they run, by systemd's word. */
  const untilRunning = async (unitsOf: (host: TestHost) => readonly string[]) => {
    for (const host of cluster.lab.hosts) await cluster.untilRunning(host, unitsOf(host));
  };

  it('give way to a unit that was made earlier, and come back when it is gone, never beside it', async () => {
    await mustFleetctl(cluster.anyHost, ['submit', await cluster.unitFile(web, slowUnit(web, agent, ''))]);
    await cluster.startUnits([agent], slowUnit(agent, web, `Global=true\nConflicts=${web}`));
    await untilRunning(() => [agent]);
    await mustFleetctl(cluster.anyHost, ['start', web]);
    const host = (await cluster.untilPlaced([web])).get(web);
    await untilRunning((one) => (one === host ? [web] : [agent]));
    await mustFleetctl(cluster.anyHost, ['destroy', web]);
    await untilRunning(() => [agent]);
  });

  it('follow what is set of a machine’s metadata', async () => {
    await cluster.startUnits([agent], slowUnit(agent, web, 'Global=true\nMachineMetadata=!spare'));
    await untilRunning(() => [agent]);
    const [host] = cluster.lab.hosts;
    assert.ok(host);
    await mustFleetctl(cluster.anyHost, ['machine', 'metadata', 'set', host.machineId, 'spare=yes']);
    await untilRunning((one) => (one === host ? [] : [agent]));
    await mustFleetctl(cluster.anyHost, ['machine', 'metadata', 'unset', host.machineId, 'spare']);
    await untilRunning(() => [agent]);
  });
});
