import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { type EtcdServer, fleetctl, labObstacle, mustFleetctl, type TestHost, waitUntil } from '../lab/index.js';
import { Cluster, sleeper } from './cluster.js';
import { assertUntouched, type Runs, recordRuns, runsOf, untilTold } from './unit-runs.js';

const names = ['test-a.service', 'test-b.service', 'test-c.service', 'test-d.service'];
const [first = '', second = '', ...others] = names;
const everywhere = 'test-global.service';
const waiting = 'test-loaded.service';
const globalText = `${sleeper}[X-Fleet]\nGlobal=true\n`;

describe('hosts whose store is lost', { skip: labObstacle() }, () => {
  let cluster: Cluster;

  before(async () => {
    cluster = await Cluster.start('unfreeze', { hosts: 2, etcdMembers: 3 });
  });

  after(() => cluster.close());
  afterEach(async () => {
    // What a failed test leaves behind is not to fail the others.
    await unfreeze('--all', '--discard');
    await cluster.reset();
  });

  const record = async () => runsOf(await recordRuns(cluster.machines), [...names, everywhere]);
  const assertSame = (before: Runs) => assertUntouched(before, cluster.machines);

  const unfreeze = (...flags: readonly string[]) => fleetctl(cluster.anyHost, ['machine', 'unfreeze', ...flags]);

  const frozenHosts = async (): Promise<TestHost[]> => {
    const { code, stdout } = await fleetctl(cluster.anyHost, ['list-machines', '--output=json']);
    if (code !== 0) return [];
    const { machines } = JSON.parse(stdout) as { machines: { id: string; frozen?: string }[] };
    return machines.filter(({ frozen }) => frozen !== undefined).map(({ id }) => cluster.hostOf(id));
  };

  const takeSnapshot = async (): Promise<string> => {
    const path = join(cluster.lab.directory, 'snapshot.db');
    await rm(path, { force: true });
    await member().etcdctl(['snapshot', 'save', path]);
    return path;
  };

  const member = (): EtcdServer => {
    const [etcd] = cluster.lab.etcd;
    assert.ok(etcd);
    return etcd;
  };

  /** Gives all members of etcd other data. */
  const replaceData = async (replace: (etcd: EtcdServer) => Promise<void>): Promise<void> => {
    const { etcd } = cluster.lab;
    await Promise.all(etcd.map((each) => each.signal('SIGKILL')));
    await Promise.all(etcd.map(replace));
    await Promise.all(etcd.map((each) => each.start()));
    await Promise.all(etcd.map((each) => each.untilHealthy()));
  };

  /** Waits until so many hosts do not trust their store. */
  const untilFrozen = async (count: number): Promise<void> => {
    await waitUntil({
      what: `${count} hosts are frozen`,
      read: frozenHosts,
      until: (hosts) => hosts.length === count,
      onTimeout: () => cluster.details(),
    });
  };

  /** Puts an older state or none into etcd, and waits until both hosts do not trust it. */
  const replaceStore = async (snapshot?: string): Promise<void> => {
    await replaceData((etcd) => etcd.replaceData(snapshot));
    await untilFrozen(2);
  };

  /**
   * Puts another cluster's etcd in the place of the hosts' own, which is set aside: one that knows them, as it once was a
   * copy of theirs. It has no unit `second`.
   */
  const meetForeignStore = async (snapshot: string): Promise<void> => {
    for (const host of cluster.machines) await host.cutNetwork('refusal');
    await replaceData(async (etcd) => {
      await etcd.setAside();
      await etcd.replaceData(snapshot, 'another');
    });
    const prefix = '/_coreos.com/fleet';
    await member().etcdctl(['put', `${prefix}/cluster`, JSON.stringify({ uuid: 'another', schema: 1 })]);
    const schedules = cluster.machines.map(({ machineId }) => `schedule/${machineId}`);
    for (const table of ['units', 'placements', ...schedules])
      await member().etcdctl(['del', `${prefix}/${table}/${second}`]);
    for (const host of cluster.machines) await host.healNetwork();
    await untilFrozen(2);
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
    const [before, registered] = [await record(), await files()];
    assert.equal(before.size, names.length + 2);
    await replaceStore();

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
    await assertSame(before);
    assert.equal((await unfreeze('--all', '--adopt')).code, 0);

    // And the cluster works: an order is an order.
    await mustFleetctl(cluster.anyHost, ['stop', first]);
    assert.ok(![...(await record())].some(([at, { active }]) => at.endsWith(first) && active === 'active'));
  });

  it('write back what an older backup lacks', async () => {
    await cluster.startUnits([first, second], sleeper);
    const snapshot = await takeSnapshot();
    await cluster.startUnits(others, sleeper);
    const placed = await cluster.untilPlaced(names);
    const before = await record();
    await replaceStore(snapshot);
    const { code, stdout, stderr } = await unfreeze('--all', '--adopt');
    assert.equal(code, 0, stderr);
    for (const name of others) assert.match(stdout, new RegExp(`written back .*${name}`));
    assert.deepEqual(await cluster.untilPlaced(names), placed);
    await cluster.assertRunning(placed);
    await assertSame(before);
  });

  it('stop what the store lacks if that is what they are told', async () => {
    const placed = await startAll();
    await replaceStore();
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

  /** What runs by the word of the hosts' own store, which has destroyed `first`. */
  const startBeforeForeign = async (): Promise<{ snapshot: string; placed: Map<string, TestHost> }> => {
    await cluster.startUnits([first, second], sleeper);
    const snapshot = await takeSnapshot();
    await cluster.startUnits(others, sleeper);
    const placed = await cluster.untilPlaced(names);
    await mustFleetctl(cluster.anyHost, ['destroy', first]);
    placed.delete(first);
    await cluster.assertRunning(placed);
    return { snapshot, placed };
  };

  it('do nothing that another cluster’s etcd at the address of theirs says, and go on as ever when theirs is back', async () => {
    const { snapshot, placed } = await startBeforeForeign();
    const before = await record();
    await meetForeignStore(snapshot);
    assert.match(
      (await fleetctl(cluster.anyHost, ['list-machines'])).stderr,
      /starts and stops nothing: .* cluster another/,
    );
    // A unit dies meanwhile; and another is ordered of the wrong cluster, which has no machine for it.
    await placed.get(second)?.mustExec(['systemctl', 'kill', '--signal=SIGKILL', second]);
    await mustFleetctl(cluster.anyHost, ['start', '--no-block', await cluster.unitFile('test-wrong.service', sleeper)]);
    await assertSame(runsOf(before, others));
    await replaceData((etcd) => etcd.takeBack());
    await untilFrozen(0);
    for (const host of cluster.machines) await untilTold(host, cluster.machines);
    await assertSame(runsOf(before, others));
    assert.ok((await cluster.rows(second)).some(({ active }) => active === 'failed'));
    await mustFleetctl(cluster.anyHost, ['start', second]);
    await cluster.assertRunning(placed);
    await assertSame(runsOf(before, others));
  });

  it('join another cluster with all that runs here if that is what they are told', async () => {
    const { snapshot, placed } = await startBeforeForeign();
    const before = await record();
    await meetForeignStore(snapshot);
    const { code, stdout, stderr } = await unfreeze('--all', '--adopt');
    assert.equal(code, 0, stderr);
    for (const name of [second, ...others]) assert.match(stdout, new RegExp(`written back .*${name}`));
    await untilFrozen(0);
    // What the other cluster has on these hosts is started by its word.
    const all = await cluster.untilPlaced(names);
    for (const [name, host] of placed) assert.equal(all.get(name), host);
    await cluster.assertRunning(all);
    await assertSame(runsOf(before, [second, ...others]));
  });
});
