import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import {
  fleetctl,
  labObstacle,
  mustFleetctl,
  showProperty,
  type TestHost,
  untilMachines,
  waitUntil,
} from '../lab/index.js';
import { Cluster, mainPids, sleeper } from './cluster.js';

const globalSleeper = `${sleeper}[X-Fleet]\nGlobal=true\n`;
const names = Array.from({ length: 6 }, (_, index) => `test-${index + 1}.service`);

describe('units on three hosts', { skip: labObstacle() }, () => {
  let cluster: Cluster;

  before(async () => {
    cluster = await Cluster.start('units');
  });

  after(() => cluster.close());
  afterEach(() => cluster.reset());

  /** The host that a test takes away; fleetctl goes to the first one. */
  const lastHost = (): TestHost => {
    const host = cluster.lab.hosts.at(-1);
    assert.ok(host);
    return host;
  };

  it('run where list-units says, evenly spread, and global ones everywhere', async () => {
    await cluster.startUnits(names, sleeper);
    await cluster.startUnits(['test-global.service'], globalSleeper);
    const placed = await cluster.untilPlaced(names);
    for (const host of cluster.lab.hosts) {
      const here = names.filter((name) => placed.get(name) === host);
      assert.equal(here.length, 2, `units on ${host.name}`);
      await cluster.untilRunning(host, [...here, 'test-global.service']);
    }
  });

  it('stop on their hosts when they are stopped, and are gone from them when they are destroyed', async () => {
    await cluster.startUnits(names, sleeper);
    const [stopped = '', destroyed = '', ...others] = names;
    const placed = await cluster.untilPlaced(names);
    await mustFleetctl(cluster.anyHost, ['stop', stopped]);
    await mustFleetctl(cluster.anyHost, ['destroy', destroyed]);
    await cluster.assertRunning(new Map(others.map((name) => [name, placed.get(name) ?? cluster.anyHost])));
    const loadOf = (name: string) => showProperty(placed.get(name) ?? cluster.anyHost, name, 'LoadState');
    assert.equal(await loadOf(stopped), 'loaded');
    assert.equal(await loadOf(destroyed), 'not-found');
  });

  it('are shown by status as systemctl shows them on their own host, and in its words on others', async () => {
    const [name, everywhere] = ['test-web.service', 'test-global.service'];
    await cluster.startUnits([name], sleeper);
    const own = (await cluster.untilPlaced([name])).get(name);
    const other = cluster.lab.hosts.find((host) => host !== own);
    assert.ok(own && other);
    const status = (host: TestHost, unit: string) =>
      host.exec(['/opt/node/node', '/opt/fleet/fleetctl', 'status', unit]);
    const here = await status(own, name);
    const mainPid = await showProperty(own, name, 'MainPID');
    assert.match(
      here.stdout,
      new RegExp(`Loaded: loaded \\([\\s\\S]*Active: active \\(running\\) since [\\s\\S]*Main PID: ${mainPid} `),
    );
    const there = await status(other, name);
    assert.match(there.stdout, /^ +Loaded: loaded\n +Active: active \(running\) since .* ago\n +Machine: /m);
    assert.deepEqual([here.code, there.code], [0, 0]);
    await cluster.startUnits([everywhere], globalSleeper);
    await cluster.untilRunning(other, [everywhere]);
    const global = await waitUntil({
      what: 'status knows the global unit on all hosts',
      read: () => status(own, everywhere),
      until: ({ stdout }) => stdout.match(/Active: active \(running\)/g)?.length === cluster.lab.hosts.length,
    });
    assert.equal(global.code, 0);
    assert.equal(global.stdout.match(/Main PID:/g)?.length, 1);
    await mustFleetctl(own, ['stop', name]);
    for (const host of [own, other]) {
      const { code, stdout } = await status(host, name);
      assert.match(stdout, /Loaded: loaded[\s\S]*Active: inactive \(dead\)/);
      assert.equal(code, 3);
    }
    const unknown = await status(own, 'test-none.service');
    assert.deepEqual([unknown.code, unknown.stderr], [1, 'Unit test-none.service does not exist.\n']);
  });

  it('are the instances of a template that was submitted', async () => {
    await mustFleetctl(cluster.anyHost, ['submit', await cluster.unitFile('test-t@.service', sleeper)]);
    const instances = ['test-t@1.service', 'test-t@2.service', 'test-t@3.service'];
    await mustFleetctl(cluster.anyHost, ['start', ...instances]);
    await cluster.assertRunning(await cluster.untilPlaced(instances));
  });

  it('become what a folder has when it is applied, and those that have not changed run on untouched', async () => {
    const host = cluster.anyHost;
    const apply = (...flags: readonly string[]) =>
      mustFleetctl(host, ['apply', '--owner=test', ...flags, `${host.root}/root/applied`]);
    const write = (name: string, text: string) => host.writeFile(`/root/applied/${name}`, text);
    const [same = '', comments = '', changed = '', gone = ''] = names;
    for (const name of [same, comments, changed, gone]) await write(name, sleeper);
    assert.match(await apply(), /\n4 created\n$/);
    const placed = await cluster.untilPlaced([same, comments, changed, gone]);
    const on = (name: string) => placed.get(name) ?? host;
    const runOf = (name: string) => showProperty(on(name), name, 'InvocationID');
    const before = await Promise.all([same, comments, changed].map(runOf));
    await write(comments, `# why\n${sleeper}`);
    await write(changed, sleeper.replace('infinity', '1000000'));
    await host.mustExec(['rm', `/root/applied/${gone}`]);
    assert.match(await apply('--prune'), /\n2 changed \(1 only comments\), 1 unchanged, 1 destroyed\n$/);
    const [sameRun, commentsRun, changedRun] = await Promise.all([same, comments, changed].map(runOf));
    assert.deepEqual([sameRun, commentsRun], before.slice(0, 2));
    assert.notEqual(changedRun, before[2]);
    assert.match(await showProperty(on(changed), changed, 'ExecStart'), /sleep 1000000/);
    assert.equal(await showProperty(on(gone), gone, 'LoadState'), 'not-found');
    assert.equal(await apply('--prune'), '3 unchanged\n');
    await host.mustExec(['find', '/root/applied', '-type', 'f', '-delete']);
    await apply('--prune-most');
    assert.deepEqual(await cluster.unitFiles(), []);
  });

  it('run only where the metadata say so', async () => {
    await cluster.startUnits(['test-pinned.service'], `${sleeper}[X-Fleet]\nMachineMetadata=host=host-2\n`);
    const placed = await cluster.untilPlaced(['test-pinned.service']);
    assert.equal(placed.get('test-pinned.service')?.name, 'host-2');
    await cluster.assertRunning(placed);
  });

  for (const way of ['powerOff', 'powerCut'] as const) {
    it(`move when a host is gone (${way}); the others stay where they are; the host comes back empty`, async () => {
      await cluster.startUnits(names, sleeper);
      await cluster.startUnits(['test-global.service'], globalSleeper);
      const before = await cluster.untilPlaced(names);
      const lost = lastHost();
      await lost[way]();
      const staying = cluster.lab.hosts.filter((host) => host !== lost);
      await untilMachines(cluster.anyHost, staying);
      const now = await cluster.untilPlaced(names);
      for (const name of names) {
        if (before.get(name) === lost) assert.notEqual(now.get(name), lost, `${name} has moved`);
        else assert.equal(now.get(name), before.get(name), `${name} has not moved`);
      }
      const unitsOn = (host: TestHost) => names.filter((name) => now.get(name) === host);
      for (const host of staying) await cluster.untilRunning(host, [...unitsOn(host), 'test-global.service']);
      await lost.boot();
      await untilMachines(cluster.anyHost, cluster.lab.hosts);
      await cluster.untilRunning(lost, ['test-global.service']);
      assert.deepEqual(await cluster.untilPlaced(names), now);
    });
  }

  it('fail under the name of a unit that the host runs, which goes on', async () => {
    const pidsOfBus = () => Promise.all(cluster.lab.hosts.map((host) => mainPids(host, ['dbus.service'])));
    const before = await pidsOfBus();
    const path = await cluster.unitFile('dbus.service', sleeper);
    const { code, stdout, stderr } = await fleetctl(cluster.anyHost, ['start', path]);
    assert.equal(code, 1);
    assert.match(stdout + stderr, /the host runs a unit of its own under this name/);
    await mustFleetctl(cluster.anyHost, ['destroy', 'dbus.service']);
    assert.deepEqual(await pidsOfBus(), before);
  });
});
