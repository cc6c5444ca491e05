import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  addUser,
  createLab,
  installFleet,
  type Lab,
  labObstacle,
  listMachines,
  listUnits,
  mustFleetctl,
  singleFiles,
  type TestHost,
  type TestUser,
  untilMachines,
  userObstacle,
  waitUntil,
} from '../lab/index.js';
import { mainPids, runningUnits, sleeper } from './cluster.js';

const directory = '/var/lib/fleet/etcd';
const etcdUnit = 'fleet-etcd.service';
const asNobody = ['setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups'];
const etcdctl = ['etcdctl', '--dial-timeout=1s', '--command-timeout=1s', '--endpoints', `unix://${directory}/client:1`];
const readAll = [...etcdctl, 'get', '--prefix', '--keys-only', '/'];

const stranger = `for (const port of [2379, 4001])
  require('net').createServer((socket) => socket.on('data', () => console.log('was sent'))).listen(port)`;

describe('a host without an etcd', { skip: labObstacle() }, () => {
  let lab: Lab;
  let host: TestHost;
  const names: string[] = [];

  before(async () => {
    lab = await createLab({ name: `own-etcd-${process.pid}`, hosts: 1, etcdMembers: 0 });
    const [first] = lab.hosts;
    assert.ok(first);
    host = first;
    // Whoever has a login can have this before fleetd first starts.
    await host.mustExec(['systemd-run', '--uid=nobody', '--unit=stranger', '/opt/node/node', '-e', stranger]);
    await waitUntil({
      what: 'a user listens where an etcd is looked for',
      read: () => host.exec(['ss', '--listening', '--tcp', '--no-header']),
      until: ({ stdout }) => stdout.includes(':2379') && stdout.includes(':4001'),
    });
    await installFleet(host, { agent_ttl: '5s', engine_reconcile_interval: '1' });
  });

  after(() => lab.close());

  /** A user's own fleetd, beside root's. */
  const startUsers = async (): Promise<TestUser> => {
    const user = await addUser(host);
    for (const name of ['fleetd', 'fleetctl']) {
      await user.writeFile(`${user.home}/${name}`, await readFile(join(singleFiles, name)));
      await user.mustExec(['chmod', '755', `${user.home}/${name}`]);
    }
    const path = '--setenv=PATH=/opt/node:/usr/bin:/bin';
    await user.mustExec(['systemd-run', '--user', '--unit=fleet', path, `${user.home}/fleetd`, '--user']);
    return user;
  };

  /** Starts one more unit, which takes every part of the cluster. */
  const startOne = async (): Promise<void> => {
    const name = `test-${names.length + 1}.service`;
    await host.writeFile(`/root/${name}`, sleeper);
    await mustFleetctl(host, ['start', `${host.root}/root/${name}`]);
    names.push(name);
  };

  const pidOf = async (unit: string): Promise<string> => (await mainPids(host, [unit])).get(unit) ?? '';

  const untilOtherPid = (unit: string, before: string) =>
    waitUntil({
      what: `another ${unit} runs`,
      read: () => pidOf(unit),
      until: (pid) => pid !== '0' && pid !== before,
      onTimeout: () => host.journal(),
    });

  const untilAllRun = async (): Promise<void> => {
    await waitUntil({
      what: 'all units run, by systemd and by list-units',
      read: async () => ({ running: await runningUnits(host), rows: await listUnits(host) }),
      until: ({ running, rows }) =>
        running.join() === [...names].sort().join() &&
        rows.filter(({ active, machine }) => active === 'active' && machine === host.machineId).length === names.length,
      onTimeout: () => host.journal(),
    });
  };

  it('gets one of its own, and is a cluster', async () => {
    await untilMachines(host, [host]);
    await startOne();
    await startOne();
    await untilAllRun();
    assert.match(await host.journal('fleet.service'), /this host has an etcd of its own .*none is configured/);
  });

  it('says whose listener it does not use, and sends it nothing', async () => {
    const said = await host.journal('fleet.service');
    assert.equal(said.match(/what listens where an etcd is looked for is not used/g)?.length, 2, said);
    assert.match(said, /at=http:\/\/127\.0\.0\.1:2379 because="?it belongs to user 65534/);
    assert.doesNotMatch(await host.journal('stranger.service'), /was sent/);
    await host.mustExec(['systemctl', 'stop', 'stranger.service']);
  });

  it('lets nobody but root get at it', async () => {
    assert.match(await host.mustExec(readAll), /fleet\/units\/test-1\.service/);
    for (const argv of [readAll, ['ls', directory]]) {
      const { code, stdout } = await host.exec([...asNobody, ...argv]);
      assert.notEqual(code, 0, stdout);
    }
    assert.equal((await host.mustExec(['ss', '--listening', '--tcp', '--udp', '--no-header'])).trim(), '');
  });

  const harms: readonly (readonly [title: string, unit: string, argv: readonly string[]])[] = [
    ['a restart of fleetd', 'fleet.service', ['restart']],
    ['SIGKILL to fleetd', 'fleet.service', ['kill', '--signal=SIGKILL']],
    ['a restart of its etcd', etcdUnit, ['restart']],
    ['SIGKILL to its etcd', etcdUnit, ['kill', '--signal=SIGKILL']],
  ];

  for (const [title, unit, argv] of harms) {
    it(`goes on after ${title}`, async () => {
      const [pids, other] = [await mainPids(host, names), unit === etcdUnit ? 'fleet.service' : etcdUnit];
      const [before, otherBefore] = [await pidOf(unit), await pidOf(other)];
      await host.mustExec(['systemctl', ...argv, unit]);
      await untilOtherPid(unit, before);
      await untilMachines(host, [host]);
      await startOne();
      await untilAllRun();
      assert.deepEqual(await mainPids(host, [...pids.keys()]), pids);
      assert.equal(await pidOf(other), otherBefore, `${other} was not touched`);
    });
  }

  const reboots: Readonly<Record<string, () => Promise<void>>> = {
    'a reboot': () => host.powerOff(),
    'a power cut': () => host.powerCut(),
  };

  for (const [title, turnOff] of Object.entries(reboots)) {
    it(`runs its units again after ${title}`, async () => {
      await turnOff();
      await host.boot();
      await untilMachines(host, [host]);
      await untilAllRun();
      await startOne();
      await untilAllRun();
    });
  }

  it('keeps the etcd when fleetd is stopped, and gives it a new unit without restarting it', async () => {
    const before = await pidOf(etcdUnit);
    await host.mustExec(['systemctl', 'stop', 'fleet.service']);
    assert.deepEqual(await runningUnits(host), []);
    await host.writeFile(`/run/systemd/system/${etcdUnit}`, '# of an earlier version\n');
    await host.mustExec(['systemctl', 'start', 'fleet.service']);
    await untilAllRun();
    assert.match(await host.readFile(`/run/systemd/system/${etcdUnit}`), /^ExecStart=/m);
    assert.equal(await pidOf(etcdUnit), before);
  });

  it('says why its etcd does not start, lets units run, and is back when it does', async () => {
    const pids = await mainPids(host, names);
    await host.mustExec(['systemctl', 'kill', '--signal=SIGKILL', 'fleet.service', etcdUnit]);
    await host.mustExec(['systemctl', 'stop', etcdUnit]);
    await host.mustExec(['mv', `${directory}/data/member/snap/db`, `${directory}/aside`]);
    await host.mustExec(['mkdir', `${directory}/data/member/snap/db`]);
    const said = await waitUntil({
      what: 'fleetd says why its etcd does not run',
      read: () => host.journal('fleet.service'),
      until: (text) => /does not run; it is tried again/.test(text),
      onTimeout: () => host.journal(etcdUnit),
    });
    assert.match(said, /does not run; it is tried again .*does not start: .*is a directory/);
    assert.deepEqual(await mainPids(host, names), pids);
    await host.mustExec(['rmdir', `${directory}/data/member/snap/db`]);
    await host.mustExec(['mv', `${directory}/aside`, `${directory}/data/member/snap/db`]);
    await waitUntil({
      what: 'it is a cluster again',
      read: () => listMachines(host),
      until: (ids) => ids.length === 1,
    });
    await startOne();
    await untilAllRun();
    for (const [name, pid] of pids) assert.equal(await pidOf(name), pid);
  });

  // The last one: a host with a user's systemd takes minutes to shut down in a container.
  it('gives a user who runs fleetd one of their own, apart from root’s', { skip: userObstacle() }, async () => {
    const user = await startUsers();
    const own = (...words: readonly string[]) => user.mustExec([`${user.home}/fleetctl`, '--user', ...words]);
    await waitUntil({
      what: 'the user has a cluster',
      read: () => own('list-machines', '--full'),
      until: (said) => said.includes(host.machineId),
      onTimeout: () => host.journal(),
    });
    assert.equal((await own('list-unit-files', '--no-legend')).trim(), '');
    await user.writeFile(`${user.home}/test-own.service`, sleeper);
    await own('start', `${user.home}/test-own.service`);
    assert.match(await own('list-units', '--no-legend'), /^test-own\.service\s.*active\s+running/);
    assert.equal(
      (await user.mustExec(['systemctl', '--user', 'is-active', etcdUnit, 'test-own.service'])).trim(),
      'active\nactive',
    );
    const stat = ['stat', '--format=%a %U', `${user.home}/.local/state/fleet/etcd`];
    assert.equal((await user.mustExec(stat)).trim(), `700 ${user.name}`);
    await user.mustExec(['systemctl', '--user', 'stop', 'fleet.service', etcdUnit]);
  });
});
