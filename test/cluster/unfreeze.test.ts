import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { fleetctl, labObstacle, mustFleetctl, type TestHost, waitUntil } from '../lab/index.js';
import { Cluster, mainPids, sleeper } from './cluster.js';

const names = ['test-a.service', 'test-b.service', 'test-c.service', 'test-d.service'];
const [first = '', second = '', ...others] = names;
const everywhere = 'test-global.service';
const waiting = 'test-loaded.service';
const globalText = `${sleeper}[X-Fleet]\nGlobal=true\n`;

describe('hosts whose store is lost', { skip: labObstacle() }, () => {
  let cluster: Cluster;

  before(async () => {
    cluster = await Cluster.start('unfreeze', { hosts: 2 });
  });

  after(() => cluster.close());
  afterEach(async () => {
    // What a failed test leaves behind is not to fail the others.
    await unfreeze('--all', '--discard');
    await cluster.reset();
  });

  /** Main PIDs of all that runs, by host and unit. */
  const allPids = async (): Promise<Map<string, string>> => {
    const pids = new Map<string, string>();
    for (const host of cluster.lab.hosts) {
      for (const [name, pid] of await mainPids(host, [...names, everywhere]))
        if (pid !== '0') pids.set(`${host.name} ${name}`, pid);
    }
    return pids;
  };

  const unfreeze = (...flags: readonly string[]) => fleetctl(cluster.anyHost, ['machine', 'unfreeze', ...flags]);

  const frozenHosts = async (): Promise<TestHost[]> => {
    const { code, stdout } = await fleetctl(cluster.anyHost, ['list-machines', '--output=json']);
    if (code !== 0) return [];
    const { machines } = JSON.parse(stdout) as { machines: { id: string; frozen?: string }[] };
    return machines.filter(({ frozen }) => frozen !== undefined).map(({ id }) => cluster.hostOf(id));
  };

  /** Puts other data into etcd, and waits until `count` hosts do not trust it. */
  const replaceStore = async (count: number, snapshot?: string): Promise<void> => {
    const [etcd] = cluster.lab.etcd;
    assert.ok(etcd);
    await etcd.signal('SIGKILL');
    await etcd.replaceData(snapshot);
    await etcd.start();
    await etcd.untilHealthy();
    await waitUntil({
      what: `${count} hosts are frozen`,
      read: frozenHosts,
      until: (hosts) => hosts.length >= count,
      onTimeout: () => cluster.details(),
    });
  };

  const files = async () =>
    (await mustFleetctl(cluster.anyHost, ['list-unit-files', '--no-legend', '--fields=unit,dstate,tmachine'])).split(
      '\n',
    );

  /** Two services on each host, a global one, and one that is loaded only. */
  const startAll = async (): Promise<Map<string, TestHost>> => {
    await cluster.startUnits(names, sleeper);
    await mustFleetctl(cluster.anyHost, ['load', await cluster.unitFile(waiting, sleeper)]);
    await cluster.startUnits([everywhere], globalText);
    await waitUntil({
      what: `${everywhere} runs on both hosts`,
      read: () => cluster.rows(everywhere),
      until: (rows) => rows.filter(({ active }) => active === 'active').length === 2,
    });
    return await cluster.untilPlaced(names);
  };

  it('write their units back into an emptied store, which then has each where it runs, untouched', async () => {
    const placed = await startAll();
    const [pids, registered] = [await allPids(), await files()];
    assert.equal(pids.size, names.length + 2);
    await replaceStore(2);

    const plan = await unfreeze('--all', '--adopt', '--dry-run');
    assert.equal(plan.code, 0, plan.stderr);
    for (const name of [...names, everywhere, waiting]) assert.match(plan.stdout, new RegExp(`written back .*${name}`));
    assert.equal((await frozenHosts()).length, 2);
    assert.deepEqual(await cluster.unitFiles(), []);

    const done = await unfreeze('--all', '--adopt');
    assert.equal(done.code, 0, done.stderr);
    assert.equal(done.stdout, plan.stdout);
    assert.deepEqual(await cluster.untilPlaced(names), placed);
    await waitUntil({
      what: 'the store has everything again',
      read: files,
      until: (lines) => lines.join() === registered.join(),
      onTimeout: () => cluster.details(),
    });
    assert.deepEqual(await allPids(), pids);
    assert.equal((await unfreeze('--all', '--adopt')).code, 0);

    // And the cluster works: an order is an order.
    await mustFleetctl(cluster.anyHost, ['stop', first]);
    assert.equal((await allPids()).size, pids.size - 1);
  });

  it('write back what an older backup lacks', async () => {
    await cluster.startUnits([first, second], sleeper);
    const snapshot = join(cluster.lab.directory, 'snapshot.db');
    await cluster.lab.mustExec(['etcdctl', '--endpoints', cluster.lab.etcdUrls, 'snapshot', 'save', snapshot]);
    await cluster.startUnits(others, sleeper);
    const placed = await cluster.untilPlaced(names);
    const pids = await allPids();
    await replaceStore(2, snapshot);
    const { code, stdout, stderr } = await unfreeze('--all', '--adopt');
    assert.equal(code, 0, stderr);
    for (const name of others) assert.match(stdout, new RegExp(`written back .*${name}`));
    assert.deepEqual(await cluster.untilPlaced(names), placed);
    await cluster.assertRunning(placed);
    assert.deepEqual(await allPids(), pids);
  });

  it('stop what the store lacks if that is what they are told', async () => {
    const placed = await startAll();
    await replaceStore(2);
    const [host, other] = cluster.lab.hosts;
    assert.ok(host && other);
    const { code, stdout } = await unfreeze(host.machineId.slice(0, 8), '--discard');
    assert.equal(code, 0);
    for (const [name, at] of placed) if (at === host) assert.match(stdout, new RegExp(`stopped .*${name}`));
    await cluster.untilRunning(host, []);
    await cluster.untilRunning(other, [...names.filter((name) => placed.get(name) === other), everywhere]);
    assert.equal((await unfreeze('--all', '--discard')).code, 0);
    await cluster.untilRunning(other, []);
    assert.deepEqual(await cluster.unitFiles(), []);
    for (const each of cluster.lab.hosts)
      assert.equal((await each.mustExec(['ls', '/var/lib/fleet/units'])).trim(), '');
  });
});
