import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import {
  addUser,
  createLab,
  type Lab,
  mustFleetctl,
  singleFiles,
  startFleet,
  type TestHost,
  type TestUser,
  userObstacle,
  waitUntil,
} from '../lab/index.js';
import { mainPids, sleeper } from './cluster.js';
import { readChapter } from './readme.js';

/** What people are told to type. */
const [installation = '', ...more] = await readChapter('Without root');

const names = ['test-1.service', 'test-2.service'];
const prefix = '/_coreos.com/fleet-user/ann/';

/** A host with root's fleetd and, beside it, a user's, on one etcd. */
describe('a fleetd without root', { skip: userObstacle() }, () => {
  let lab: Lab;
  let host: TestHost;
  let user: TestUser;

  before(async () => {
    lab = await createLab({ name: `user-${process.pid}`, hosts: 1 });
    const [first] = lab.hosts;
    assert.ok(first);
    host = first;
    await startFleet(lab, () => ({}));
    user = await addUser(host);
    await install();
    for (const name of names) await user.writeFile(`${user.home}/${name}`, sleeper);
    await untilMachines(1);
  });

  after(() => lab.close());

  afterEach(async () => {
    await user.exec([fleetctlPath(), 'destroy', ...names]);
  });

  /** Types what the README says. Only addresses are the lab's own. */
  const install = async () => {
    assert.deepEqual(more, []);
    const programs = ['fleetd', 'fleetctl'].map((name) => [`${user.home}/${name}`, join(singleFiles, name)] as const);
    for (const [path, from] of programs) {
      await user.writeFile(path, await readFile(from));
      await user.mustExec(['chmod', '755', path]);
    }
    // A killed leader is followed sooner.
    await user.writeFile(`${user.home}/.config/fleet/fleet.conf`, 'engine_reconcile_interval = 0.4\n');
    const script = installation.replaceAll('http://10.0.0.1:2379', lab.etcdUrls);
    await user.mustExec(['sh', '-e', '-c', script]);
  };

  const fleetctlPath = () => `${user.home}/.local/bin/fleetctl`;

  /** The user's fleetctl, which has to find the right fleetd by itself. */
  const ownFleetctl = (...words: readonly string[]) => user.mustExec([fleetctlPath(), ...words]);

  const startAll = () => ownFleetctl('start', ...names.map((name) => `${user.home}/${name}`));

  const ownShow = async (property: string, unit: string) =>
    (await user.mustExec(['systemctl', '--user', 'show', '--value', `--property=${property}`, unit])).trim();

  const ownPids = async () =>
    new Map(await Promise.all(names.map(async (name) => [name, await ownShow('MainPID', name)] as const)));

  /** Machines in the user's cluster, by etcd's word. */
  const untilMachines = (count: number) =>
    waitUntil({
      what: `the user's cluster has ${count} machines`,
      read: async () => {
        const keys = await lab.etcdctl(['get', '--prefix', '--keys-only', `${prefix}machines/`]);
        return keys.split('\n').filter((line) => line !== '').length;
      },
      until: (seen) => seen === count,
      onTimeout: () => host.journal(),
    });

  it('runs units as the user, under the user’s systemd', async () => {
    await startAll();
    for (const [name, pid] of await ownPids()) {
      assert.notEqual(pid, '0', name);
      const status = await host.mustExec(['cat', `/proc/${pid}/status`, `/proc/${pid}/cgroup`]);
      assert.match(status, new RegExp(`^Uid:\\t${user.uid}\\t`, 'm'));
      assert.match(status, new RegExp(`/user@${user.uid}\\.service/.*${name}$`, 'm'));
    }
    await ownFleetctl('stop', names[0] ?? '');
    assert.equal(await ownShow('ActiveState', names[0] ?? ''), 'inactive');
    await ownFleetctl('destroy', ...names);
    for (const name of names) assert.equal(await ownShow('LoadState', name), 'not-found');
  });

  it('shares host, etcd and names of units with root’s, and nothing else', async () => {
    await host.writeFile('/srv/test-1.service', sleeper);
    await mustFleetctl(host, ['start', `${host.root}/srv/test-1.service`]);
    const before = await mainPids(host, ['test-1.service']);
    await startAll();
    const rootsUnits = await mustFleetctl(host, ['list-unit-files', '--no-legend', '--fields=unit']);
    assert.deepEqual(rootsUnits.trim().split('\n'), ['test-1.service']);
    await ownFleetctl('destroy', ...names);
    assert.deepEqual(await mainPids(host, ['test-1.service']), before);
    await mustFleetctl(host, ['destroy', 'test-1.service']);
    assert.equal(await ownFleetctl('list-unit-files', '--no-legend', '--user'), '');
  });

  const ways: Readonly<Record<string, readonly string[]>> = {
    restarted: ['systemctl', '--user', 'restart', 'fleet.service'],
    killed: ['systemctl', '--user', 'kill', '--signal=SIGKILL', 'fleet.service'],
  };
  for (const [title, argv] of Object.entries(ways)) {
    it(`changes no unit when it is ${title}`, async () => {
      await startAll();
      const [before, daemon] = [await ownPids(), await ownShow('MainPID', 'fleet.service')];
      await user.mustExec(argv);
      await waitUntil({
        what: 'another fleetd runs',
        read: () => ownShow('MainPID', 'fleet.service'),
        until: (pid) => pid !== '0' && pid !== daemon,
        onTimeout: () => host.journal(),
      });
      await waitUntil({
        what: 'it takes units again',
        read: () => user.exec([fleetctlPath(), 'start', ...names]),
        until: ({ code }) => code === 0,
        onTimeout: () => host.journal(),
      });
      assert.deepEqual(await ownPids(), before);
    });
  }

  const untilLeft = async () => {
    await untilMachines(0);
    assert.match(await lab.etcdctl(['get', '--print-value-only', `${prefix}members/${host.machineId}`]), /"left"/);
  };

  it('leaves the cluster when it is stopped, and is back with its units when it is started', async () => {
    await startAll();
    await user.mustExec(['systemctl', '--user', 'stop', 'fleet.service']);
    await untilLeft();
    assert.deepEqual([...(await ownPids()).values()], ['0', '0']);
    await user.mustExec(['systemctl', '--user', 'start', 'fleet.service']);
    await untilMachines(1);
    await waitUntil({
      what: 'the units run again',
      read: async () => [...(await ownPids()).values()],
      until: (pids) => !pids.includes('0'),
      onTimeout: () => host.journal(),
    });
  });

  it('leaves nothing outside of the user’s directories', async () => {
    await startAll();
    const places = ['/', '/run', '/tmp', '/dev/shm', '/var'];
    const found = await host.mustExec(['find', ...places, '-xdev', '-uid', String(user.uid)]);
    const own = [user.home, user.runtimeDirectory];
    const strays = found
      .split('\n')
      .filter((path) => path !== '' && !own.some((place) => path === place || path.startsWith(`${place}/`)));
    assert.deepEqual(strays, []);
    assert.ok(found.includes(`${user.home}/.local/state/fleet/units/test-1.service`));
  });

  it('that can’t work says in a line how it could', async () => {
    const fleetd = [`${user.home}/.local/bin/fleetd`];
    const missing = await user.exec(['env', '--unset=XDG_RUNTIME_DIR', ...fleetd, '--user']);
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /^[^\n]*XDG_RUNTIME_DIR is not set[^\n]*loginctl enable-linger ann[^\n]*\n$/);
    const unprivileged = await user.exec(fleetd);
    assert.equal(unprivileged.code, 1);
    assert.match(unprivileged.stderr, /^[^\n]*fleetd --user[^\n]*\n$/);
  });

  it('needs no etcd and no installation either', async () => {
    const bea = await addUser(host, 'bea', 1501);
    const etcd = `${bea.home}/.local/state/fleet/etcd`;
    const fleetctl = (...words: readonly string[]) => bea.exec(['/opt/fleet/fleetctl', ...words]);
    const isActive = async (unit: string) => (await bea.exec(['systemctl', '--user', 'is-active', unit])).stdout.trim();
    await bea.writeFile(`${bea.home}/test-3.service`, sleeper);

    await bea.mustExec([
      'systemd-run',
      '--user',
      '--quiet',
      '--unit=hand',
      '/opt/node/node',
      '/opt/fleet/fleetd',
      '--user',
    ]);
    await waitUntil({
      what: 'a cluster of one takes units',
      read: () => fleetctl('start', `${bea.home}/test-3.service`),
      until: ({ code }) => code === 0,
      onTimeout: () => host.journal(),
    });
    assert.equal((await bea.mustExec(['stat', '--format=%a', `${bea.runtimeDirectory}/fleet.sock`])).trim(), '600');
    assert.equal(await isActive('fleet-etcd.service'), 'active');
    assert.match(await bea.mustExec(['stat', '--format=%a %U', etcd]), /^700 bea$/m);
    await bea.mustExec(['systemctl', '--user', 'kill', '--signal=SIGTERM', 'hand.service']);

    const said = await bea.mustExec(['/opt/fleet/fleetd', 'install', '--user']);
    assert.match(said, /^write \/home\/bea\/.config\/fleet\/fleet.conf$/m);
    assert.match(said, /^run systemctl --user restart fleet.socket fleet.service\nfleetd [\d.]+ runs\.\n$/m);
    assert.equal(await isActive('test-3.service'), 'active');
    assert.match((await fleetctl('list-units', '--no-legend')).stdout, /test-3\.service.*active/);

    await bea.mustExec([`${bea.home}/.local/bin/fleetd`, 'install', '--user', '--uninstall', '--purge']);
    for (const unit of ['test-3.service', 'fleet.service', 'fleet-etcd.service'])
      assert.equal(await isActive(unit), 'inactive', unit);
    const left = await host.mustExec(['find', bea.home, bea.runtimeDirectory, '-iname', '*fleet*']);
    assert.equal(left, '');
  });

  // The last test: in a container on cgroup v1, systemd takes minutes to notice that a user's processes are gone.
  it('leaves the cluster when the user’s systemd ends', async () => {
    await startAll();
    await host.mustExec(['systemctl', 'stop', '--no-block', `user@${user.uid}.service`]);
    await untilLeft();
  });
});
