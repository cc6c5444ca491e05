import assert from 'node:assert/strict';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fleetctl, labObstacle, showProperty, type TestHost, untilMachines, waitUntil } from '../lab/index.js';
import { Cluster, sleeper } from './cluster.js';
import { assertUntouched, recordRuns } from './unit-runs.js';

const names = ['test-1.service', 'test-2.service'];
const prefix = '/_coreos.com/fleet/';
const duplicate = /another host has the same machine ID/;

describe('a host with the machine ID of another one', { skip: labObstacle() }, () => {
  let cluster: Cluster;
  let first: TestHost;
  let second: TestHost;

  before(async () => {
    cluster = await Cluster.start('duplicate', { hosts: 2 });
    const [one, two] = cluster.lab.hosts;
    assert.ok(one && two);
    [first, second] = [one, two];
    await second.powerOff();
    await untilMachines(first, [first]);
    await cluster.startUnits(names, sleeper);
    await cluster.untilPlaced(names);
  });

  after(() => cluster.close());

  /** Every record of the cluster that is about the first host, with its lease and revisions. */
  const recordsOfFirst = async (): Promise<string> => {
    const get = ['get', '--prefix', '--write-out=json'];
    const found = await Promise.all(
      ['machines/', 'members/', 'schedule/', 'states/', 'placements/'].map(async (range) => {
        const { kvs = [] } = JSON.parse(await cluster.lab.etcdctl([...get, prefix + range])) as { kvs?: object[] };
        return kvs;
      }),
    );
    return JSON.stringify(found, undefined, 1);
  };

  /** The journal of the second host since it booted last: it has those of both of its machine IDs. */
  const journal = async () => {
    const { stdout } = await second.exec(['journalctl', '--boot', '--no-pager', '--unit=fleet.service']);
    return stdout;
  };

  const becomeDuplicate = async () => {
    await second.writeFile('/etc/machine-id', `${first.machineId}\n`);
    await second.boot();
    return await waitUntil({
      what: 'the second host says that it is a duplicate',
      read: journal,
      until: (text) => duplicate.test(text),
      onTimeout: journal,
    });
  };

  const assertOutside = async () => {
    const { code, stderr } = await fleetctl(second, ['list-machines']);
    assert.equal(code, 1);
    assert.match(stderr, /fleet server unable to communicate with etcd/);
    assert.equal(await showProperty(second, 'fleet.service', 'ActiveState'), 'active');
    assert.equal(await showProperty(second, 'fleet.service', 'NRestarts'), '0');
  };

  it('stays out, says so, and leaves the first one alone', async () => {
    const [records, runs] = [await recordsOfFirst(), await recordRuns([first])];
    const said = await becomeDuplicate();
    assert.match(said, new RegExp(`same machine ID.*here.*${second.address}.*there.*${first.address}`, 's'));
    assert.equal(said.match(/waiting for an earlier record of this machine/g)?.length, 1);
    await assertOutside();
    assert.equal(await recordsOfFirst(), records);
    await assertUntouched(runs, [first]);
  });

  it('leaves the first one alone when it is shut down, and is a machine of its own with another ID', async () => {
    const [records, runs] = [await recordsOfFirst(), await recordRuns([first])];
    await second.powerOff();
    assert.equal(await recordsOfFirst(), records);
    await second.writeFile('/etc/machine-id', `${second.machineId}\n`);
    await second.boot();
    await untilMachines(second, [first, second]);
    await assertUntouched(runs, [first]);
    await second.powerOff();
    await untilMachines(first, [first]);
  });

  it('stays out also if it is a copy of the first one’s disk, and runs none of its units', async () => {
    await cp(join(first.root, 'var/lib/fleet'), join(second.root, 'var/lib/fleet'), { recursive: true });
    const [records, runs] = [await recordsOfFirst(), await recordRuns([first])];
    await becomeDuplicate();
    await assertOutside();
    await cluster.untilRunning(second, []);
    assert.equal(await recordsOfFirst(), records);
    await assertUntouched(runs, [first]);
    await cluster.untilRunning(first, names);
  });
});
