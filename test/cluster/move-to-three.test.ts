import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { localEtcdUnit } from '@flotilla/local-etcd';
import {
  createLab,
  installFleet,
  type Lab,
  labObstacle,
  listUnits,
  mustFleetctl,
  type TestHost,
  untilMachines,
  waitUntil,
} from '../lab/index.js';
import { mainPids, runningUnits, sleeper } from './cluster.js';
import { readChapter } from './readme.js';

const chapter = await readChapter('Moving to three etcd members');
const [snapshot = '', restore = '', change = '', remove = '', ...more] = chapter;
const ownLine = 'name=etcd-1 address=10.0.0.1\n';
const snapshotFile = '/root/fleet.snapshot';

const config = { agent_ttl: '5s', engine_reconcile_interval: '1' };

describe('a host’s own etcd moves to three members, as the README has it', { skip: labObstacle() }, () => {
  let lab: Lab;
  let host: TestHost;
  let pids: ReadonlyMap<string, string>;

  before(async () => {
    assert.ok(restore.startsWith(ownLine));
    assert.deepEqual(more, []);
    lab = await createLab({ name: `move-${process.pid}`, hosts: 3, etcdMembers: 0 });
    const [first] = lab.hosts;
    assert.ok(first);
    host = first;
    await installFleet(host, config);
    await untilMachines(host, [host]);
  });

  after(() => lab.close());

  /** Types a block of the README on a host. Only addresses are the lab's own. */
  const type = (on: TestHost, block: string) => {
    const script = block.replaceAll(/10\.0\.0\.([123])/g, (_, number) => lab.hosts[Number(number) - 1]?.address ?? '');
    return on.mustExec(['sh', '-e', '-c', `PATH=/opt/fleet:$PATH\n${script}`]);
  };

  const start = async (names: readonly string[]) => {
    for (const name of names) await host.writeFile(`/root/${name}`, sleeper);
    await mustFleetctl(host, ['start', ...names.map((name) => `${host.root}/root/${name}`)]);
  };

  const isActive = async (unit: string) => (await host.exec(['systemctl', 'is-active', unit])).stdout.trim();

  it('takes a snapshot, after which the host goes on', async () => {
    await start(['test-1.service', 'test-2.service', 'test-destroyed.service']);
    await type(host, snapshot);
    await start(['test-late.service']);
    await mustFleetctl(host, ['destroy', 'test-destroyed.service']);
    const names = await runningUnits(host);
    assert.deepEqual(names, ['test-1.service', 'test-2.service', 'test-late.service']);
    pids = await mainPids(host, names);
  });

  it('makes three members of it', async () => {
    for (const each of lab.hosts) {
      // What Debian's package brings, and the README's scp.
      await each.mustExec(['mkdir', '-p', '/etc/default', '/var/lib/etcd']);
      if (each !== host) await each.writeFile(snapshotFile, await readBytes(host, snapshotFile));
    }
    const [first = '', ...others] = ['etcd-1', 'etcd-2', 'etcd-3'].map((name, index) =>
      restore.replace(ownLine, `name=${name} address=10.0.0.${index + 1}\n`),
    );
    await Promise.all([first, ...others].map((block, index) => type(lab.hosts[index] ?? host, block)));
    const health = ['etcdctl', '--endpoints', `http://${host.address}:2379`, 'endpoint', 'health', '--cluster'];
    await waitUntil({
      what: 'the three members are healthy',
      read: () => host.exec(health),
      until: ({ code, stdout, stderr }) => code === 0 && `${stdout}${stderr}`.match(/is healthy/g)?.length === 3,
      onTimeout: () => host.journal('etcd.service'),
    });
  });

  it('loses no unit, and touches none that runs', async () => {
    const said = await type(host, change);
    assert.match(said, /test-late\.service/);
    const all = [...pids.keys(), 'test-destroyed.service'].sort();
    await waitUntil({
      what: 'all units run, by the new store, and the destroyed one is back',
      read: async () => (await listUnits(host)).filter(({ active }) => active === 'active').map(({ unit }) => unit),
      until: (active) => [...active].sort().join() === all.join(),
      onTimeout: async () => `${said}\n${await host.journal('fleet.service')}`,
    });
    assert.deepEqual(await mainPids(host, [...pids.keys()]), pids);
    const stored = await mustFleetctl(host, ['list-unit-files', '--no-legend', '--fields=unit']);
    assert.deepEqual(stored.trim().split('\n').sort(), all);
  });

  it('does without the old store, also after a restart', async () => {
    assert.equal(await isActive(localEtcdUnit), 'active');
    assert.equal((await host.exec(['test', '-e', '/var/lib/fleet/etcd/in-use'])).code, 1);
    assert.match(
      await host.readFile('/var/lib/fleet/other-store'),
      new RegExp(`^http://${host.address}:2379 http.*\\n$`),
    );
    await type(host, remove);
    await host.mustExec(['systemctl', 'restart', 'fleet.service']);
    await untilMachines(host, [host]);
    assert.notEqual(await isActive(localEtcdUnit), 'active');
    assert.deepEqual(await mainPids(host, [...pids.keys()]), pids);
  });

  it('lets other hosts join and run units', async () => {
    const servers = lab.hosts.map(({ address }) => `http://${address}:2379`).join(',');
    for (const each of lab.hosts) if (each !== host) await installFleet(each, { ...config, etcd_servers: servers });
    for (const each of lab.hosts) await untilMachines(each, lab.hosts);
    await start(['test-3.service', 'test-4.service', 'test-5.service', 'test-6.service']);
    const rows = await listUnits(host);
    const machines = new Set(rows.filter(({ active }) => active === 'active').map(({ machine }) => machine));
    assert.deepEqual(
      [...machines].sort(),
      lab.hosts.map(({ machineId }) => machineId),
    );
    assert.deepEqual(await mainPids(host, [...pids.keys()]), pids);
  });

  it('does not fall back on an etcd of the host’s own when the configuration is lost', async () => {
    await host.mustExec(['sed', '-i', '/etcd_servers/d', '/etc/fleet/fleet.conf']);
    await host.mustExec(['systemctl', 'disable', 'etcd.service']);
    await host.mustExec(['systemctl', 'restart', 'fleet.service']);
    await waitUntil({
      what: 'fleetd says that it starts no etcd, and why',
      read: () => host.journal('fleet.service'),
      until: (said) => /not starting one, because this machine has another store already/.test(said),
    });
    assert.notEqual(await isActive(localEtcdUnit), 'active');
    assert.deepEqual(await mainPids(host, [...pids.keys()]), pids);
  });
});

/** A file of a host, byte for byte. */
async function readBytes(host: TestHost, path: string): Promise<Uint8Array> {
  return Buffer.from(await host.mustExec(['base64', '--wrap=0', path]), 'base64');
}
