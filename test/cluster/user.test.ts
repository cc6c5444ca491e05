import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { fleetServiceUnit, fleetSocketUnit } from '@flotilla/fleetd';
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
    await user.exec(['node', '/opt/fleet/fleetctl', 'destroy', ...names]);
  });

  const install = async () => {
    await host.writeFile('/opt/fleet/fleetd', await readFile(join(singleFiles, 'fleetd')));
    await user.writeFile(`${user.home}/.config/fleet/fleet.conf`, `etcd_servers = ${lab.etcdUrls}\nagent_ttl = 5s\n`);
    const units = `${user.home}/.config/systemd/user`;
    const command = ['/opt/node/node', '/opt/fleet/fleetd', '--user'];
    await user.writeFile(`${units}/fleet.service`, fleetServiceUnit({ command, manager: 'user' }));
    await user.writeFile(`${units}/fleet.socket`, fleetSocketUnit({ socket: '%t/fleet.sock', manager: 'user' }));
    await user.mustExec(['systemctl', '--user', 'daemon-reload']);
    await user.mustExec(['systemctl', '--user', 'enable', '--now', 'fleet.socket', 'fleet.service']);
  };

  /** The user's fleetctl, which has to find the right fleetd by itself. */
  const ownFleetctl = (...words: readonly string[]) => user.mustExec(['node', '/opt/fleet/fleetctl', ...words]);

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
        const get = ['etcdctl', '--endpoints', lab.etcdUrls, 'get', '--prefix', '--keys-only', `${prefix}machines/`];
        return (await lab.mustExec(get)).split('\n').filter((line) => line !== '').length;
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
      assert.match(await ownFleetctl('list-units', '--no-legend'), /test-1\.service.*active/);
      assert.deepEqual(await ownPids(), before);
    });
  }

  const untilLeft = async () => {
    await untilMachines(0);
    const key = `${prefix}members/${host.machineId}`;
    const member = await lab.mustExec(['etcdctl', '--endpoints', lab.etcdUrls, 'get', '--print-value-only', key]);
    assert.match(member, /"left"/);
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
    const fleetd = ['node', '/opt/fleet/fleetd'];
    const missing = await user.exec(['env', '--unset=XDG_RUNTIME_DIR', ...fleetd, '--user']);
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /^[^\n]*XDG_RUNTIME_DIR is not set[^\n]*loginctl enable-linger ann[^\n]*\n$/);
    const unprivileged = await user.exec(fleetd);
    assert.equal(unprivileged.code, 1);
    assert.match(unprivileged.stderr, /^[^\n]*fleetd --user[^\n]*\n$/);
  });

  // The last test: in a container on cgroup v1, systemd takes minutes to notice that a user's processes are gone.
  it('leaves the cluster when the user’s systemd ends', async () => {
    await startAll();
    await host.mustExec(['systemctl', 'stop', '--no-block', `user@${user.uid}.service`]);
    await untilLeft();
  });
});
