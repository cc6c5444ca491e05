import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { labObstacle, showProperty, type TestHost } from '../lab/index.js';
import { FleetSuite } from './fleet-suite.js';
import { see } from './on-host.js';

const globalUnit = 'global.service';
const [hello, goodbye, discovery] = ['hello.service', 'goodbye.service', 'discovery.service'];
const everything = ['fleet.socket', 'fleet-tcp.socket', 'fleet.service'];

describe('fleet’s functional tests of several machines', { skip: labObstacle() }, () => {
  let suite: FleetSuite;
  let hosts: readonly [TestHost, TestHost, TestHost];

  before(async () => {
    suite = await FleetSuite.start('fleet-nodes', 3);
    hosts = [suite.host(0), suite.host(1), suite.host(2)];
  });

  after(() => suite.close());
  afterEach(() => suite.reset(hosts[1]));

  const pathsOf = (names: readonly string[]) => names.map((name) => suite.unit(name));
  const systemctl = (host: TestHost, ...args: readonly string[]) => host.mustExec(['systemctl', ...args]);

  it('ScheduleGlobalUnits', async () => {
    const [asked] = hosts;
    await suite.must(asked, 'start', '--no-block', ...pathsOf([hello, goodbye, globalUnit]));
    const ids = hosts.map(({ machineId }) => machineId);
    const assertEverywhere = async () =>
      assert.deepEqual([...((await suite.untilActive(asked, 5)).get(globalUnit) ?? [])].sort(), ids);
    await assertEverywhere();
    await suite.must(asked, 'status', '--no-block', globalUnit);
    const seen = () => Promise.all(hosts.map((host) => see(host, globalUnit)));
    const before = await seen();
    await suite.must(asked, 'restart', globalUnit);
    await assertEverywhere();
    for (const [index, { state, invocation }] of (await seen()).entries()) {
      assert.equal(state, 'active/running');
      assert.notEqual(invocation, before[index]?.invocation, `it was restarted on ${hosts[index]?.name}`);
    }
  });

  /** Powers a machine off and has another one come up in its place: same address, nothing else that it had. */
  const replace = async (host: TestHost, asked: TestHost) => {
    await host.powerOff();
    await suite.untilMachines(asked, 2);
    await rm(join(host.root, 'var/lib/fleet'), { recursive: true });
    await host.writeFile('/etc/machine-id', `${'f'.repeat(31)}1\n`);
    await host.boot();
    await suite.untilMachines(asked, 3);
  };

  it('DynamicClusterMemberReboot', async () => {
    const [asked, , replaced] = hosts;
    const names = ['conflict.0.service', 'conflict.1.service', 'conflict.2.service'];
    await suite.must(asked, 'start', ...pathsOf(names));
    const before = await suite.untilActive(asked, 3);
    assert.equal(new Set([...before.values()].flat()).size, 3, 'each is on a machine of its own');
    await replace(replaced, asked);
    const now = await suite.untilActive(asked, 3);
    const moved = names.filter((name) => before.get(name)?.join() !== now.get(name)?.join());
    assert.equal(moved.length, 1, `moved: ${moved}`);
    assert.deepEqual(before.get(moved[0] ?? ''), [replaced.machineId]);
    assert.equal((await see(replaced, moved[0] ?? '')).state, 'active/running');
  });

  it('InstallUnit', async () => {
    const [asked, other, third] = hosts;
    await systemctl(third, 'stop', ...everything);
    await suite.untilMachines(asked, 2);
    await suite.must(asked, 'load', ...pathsOf([hello, discovery]));
    const [where] = (await suite.untilUnits(asked, 2)).get(discovery) ?? [];
    const host = where === asked.machineId ? asked : other;
    assert.equal((await see(host, discovery)).state, 'inactive/dead');
    await suite.must(asked, 'start', hello);
    assert.deepEqual([...(await suite.untilActive(asked, 2)).keys()], [discovery, hello]);
    assert.equal((await see(host, discovery)).state, 'active/running');
    await suite.must(asked, 'stop', hello);
    await suite.untilActive(asked, 0);
    assert.equal((await see(host, discovery)).state, 'inactive/dead');
  });

  it('NodeShutdown', async () => {
    const [leaves, stays] = hosts;
    const pinned = `pin@${leaves.machineId}.service`;
    await systemctl(stays, 'stop', ...everything);
    await suite.untilMachines(leaves, 1);
    await suite.must(leaves, 'start', suite.unit(pinned));
    await suite.untilActive(leaves, 1);
    await systemctl(stays, 'start', ...everything);
    await suite.untilMachines(stays, 2);
    await systemctl(leaves, 'stop', 'fleet');
    assert.deepEqual(await suite.untilMachines(stays, 1), [stays.machineId]);
    await suite.untilActive(stays, 0);
    assert.equal((await see(leaves, pinned)).state, 'inactive/dead');
    await systemctl(leaves, 'start', ...everything);
    await suite.untilMachines(stays, 2);
  });

  it('DetectMachineId', async () => {
    const [first, second] = hosts;
    const restart = async (host: TestHost, machineId: string) => {
      await host.writeFile('/etc/machine-id', `${machineId}\n`);
      await systemctl(host, 'restart', 'fleet');
      const properties = await Promise.all(['ActiveState', 'Result'].map((key) => showProperty(host, 'fleet', key)));
      assert.deepEqual(properties, ['active', 'success']);
    };
    await restart(second, first.machineId);
    const { code, stderr } = await suite.fleetctl(second, 'list-machines', '--no-legend');
    assert.equal(code, 1);
    assert.match(stderr, /fleet server unable to communicate with etcd/);
    const another = `${'f'.repeat(31)}2`;
    await restart(first, another);
    assert.ok((await suite.untilMachines(first, 2)).includes(another));
    // Now the second one is alone with its ID, once the record that the first one left has run out.
    await suite.untilMachines(second, 2);
  });
});
