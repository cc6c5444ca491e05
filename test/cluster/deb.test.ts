import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { localEtcdUnit } from '@flotilla/local-etcd';
import { labObstacle, listUnits, untilMachines, waitUntil } from '../lab/index.js';
import { mainPids, runningUnits } from './cluster.js';
import { configFile, DebHosts, makeDebs, versions } from './deb-hosts.js';
import { readChapter } from './readme.js';

const names = Array.from({ length: 4 }, (_, index) => `test-${index + 1}.service`);
const { older, newer } = versions;

const [install = '', remove = '', ...more] = await readChapter('As Debian packages');

describe('the Debian packages', { skip: labObstacle() }, () => {
  let hosts: DebHosts;

  before(async () => {
    hosts = await DebHosts.start();
  });

  after(() => hosts.lab.close());
  afterEach(() => hosts.reset());

  it('are the same, byte for byte, whenever they are made', async () => {
    const made = await makeDebs(join(hosts.lab.directory, 'again'), older);
    assert.deepEqual(made.map((path) => basename(path)).sort(), [
      `fleetctl_${older}_all.deb`,
      `fleetd_${older}_all.deb`,
    ]);
    for (const path of made)
      assert.deepEqual(await readFile(path), await readFile(join(hosts.lab.shared, basename(path))));
  });

  for (const name of ['fleetd', 'fleetctl'] as const) {
    it(`refuse a host without a Node that is new enough: ${name}`, async () => {
      await hosts.replaceNode();
      const none = await hosts.dpkg(['--install', hosts.debOf(name, older)]);
      assert.equal(none.code, 1);
      assert.match(
        none.stderr,
        new RegExp(`^${name}: Node 20 or later is needed, but there is none in /usr/local/`, 'm'),
      );
      await hosts.replaceNode('#!/bin/sh\necho v18.20.4\n');
      const old = await hosts.dpkg(['--install', hosts.debOf(name, older)]);
      assert.equal(old.code, 1);
      assert.match(old.stderr, /Node 20 or later is needed, but \/usr\/local\/bin\/node is v18\.20\.4;/);
    });
  }

  it('refuse a host where fleetd was installed otherwise', async () => {
    const { code, stderr } = await hosts.dpkg(['--install', hosts.debOf('fleetd', older)], hosts.other);
    assert.equal(code, 1);
    assert.match(stderr, /fleet\.service is in the way.*fleetd install --uninstall/);
  });

  it('make a cluster of a host that is told nothing, and leave no file behind', async () => {
    await hosts.mustDpkg(['--install', hosts.debOf('fleetd', older), hosts.debOf('fleetctl', older)]);
    assert.equal(await hosts.systemctl('is-enabled', 'fleet.socket', 'fleet.service'), 'enabled\nenabled');
    assert.equal(await hosts.systemctl('is-active', 'fleet.socket', 'fleet.service'), 'active\nactive');
    assert.match(await hosts.host.readFile(configFile), /^#etcd_servers = /m);
    const made = await hosts.host.mustExec(['stat', '--format=%U %G %a', '/run/fleet.sock', '/etc/fleet/units']);
    assert.equal(made, 'root fleet 660\nroot root 755\n');
    await waitUntil({
      what: 'the host is a machine of its own cluster',
      read: () => hosts.host.exec(['fleetctl', 'list-machines', '--full']),
      until: ({ stdout }) => stdout.includes(hosts.host.machineId),
      onTimeout: () => hosts.host.journal('fleet.service'),
    });
    assert.equal(await hosts.systemctl('is-active', localEtcdUnit), 'active');
    await hosts.mustDpkg(['--purge', 'fleetd', 'fleetctl']);
    assert.equal(await hosts.systemctl('show', '--value', '--property=LoadState', localEtcdUnit), 'not-found');
    assert.deepEqual(await hosts.leftovers(), []);
  });

  it('come and go as the README says', async () => {
    assert.deepEqual(more, []);
    assert.match(await hosts.type(install), new RegExp(`^${hosts.host.machineId.slice(0, 8)}.*disk=ssd`, 'm'));
    await hosts.type(remove);
    await untilMachines(hosts.other, [hosts.other]);
    assert.equal((await hosts.dpkg(['--status', 'fleetd'])).stdout.includes('Status: deinstall ok config-files'), true);
  });

  it('of fleetctl works by itself, against another host', async () => {
    await hosts.joinCluster();
    await hosts.mustDpkg(['--install', hosts.debOf('fleetctl', older)], hosts.other);
    const list = ['env', '-i', 'fleetctl', `--endpoint=${hosts.endpoint}`, 'list-machines', '--full'];
    assert.match(await hosts.other.mustExec(list), new RegExp(hosts.host.machineId));
    await hosts.mustDpkg(['--purge', 'fleetctl'], hosts.other);
  });

  it('change no unit and no configuration when they are upgraded and downgraded', async () => {
    await hosts.joinCluster();
    await hosts.startUnits(names);
    const here = await runningUnits(hosts.host);
    assert.equal(here.length, 2);
    const pids = await mainPids(hosts.host, here);
    const config = await hosts.host.readFile(configFile);
    for (const version of [newer, older]) {
      const pid = await hosts.fleetdPid();
      await hosts.mustDpkg(['--install', hosts.debOf('fleetd', version)]);
      assert.notEqual(await hosts.fleetdPid(), pid);
      assert.notEqual(await hosts.fleetdPid(), '0');
      assert.deepEqual(await mainPids(hosts.host, here), pids);
      assert.equal(await hosts.host.readFile(configFile), config);
    }
    await untilMachines(hosts.other, hosts.lab.hosts);
    assert.deepEqual(await mainPids(hosts.host, here), pids);
  });

  it('leave alone what the administrator has switched off', async () => {
    await hosts.joinCluster();
    await hosts.mustDpkg(['--install', hosts.debOf('fleetd', older)]);
    await hosts.host.mustExec(['systemctl', 'stop', 'fleet.service', 'fleet.socket']);
    await hosts.mustDpkg(['--install', hosts.debOf('fleetd', newer)]);
    assert.equal(await hosts.systemctl('is-active', 'fleet.service'), 'inactive');
    assert.equal(await hosts.systemctl('is-enabled', 'fleet.service'), 'enabled');
    await hosts.host.mustExec(['systemctl', 'disable', 'fleet.service']);
    await hosts.mustDpkg(['--install', hosts.debOf('fleetd', older)]);
    assert.equal(await hosts.systemctl('is-enabled', 'fleet.service'), 'disabled');
    await hosts.host.mustExec(['systemctl', 'mask', 'fleet.service']);
    await hosts.mustDpkg(['--install', hosts.debOf('fleetd', newer)]);
    assert.equal(await hosts.systemctl('is-enabled', 'fleet.service'), 'masked');
    await hosts.host.mustExec(['systemctl', 'unmask', 'fleet.service']);
  });

  it('take the host out of the cluster when they are removed, and back in when they are installed again', async () => {
    await hosts.joinCluster();
    await hosts.startUnits(names);
    const config = await hosts.host.readFile(configFile);
    await hosts.mustDpkg(['--remove', 'fleetd']);
    assert.deepEqual(await runningUnits(hosts.host), []);
    await hosts.host.mustExec(['sh', '-c', '! ls /usr/bin/fleetd /run/fleet.sock /run/systemd/system/test-*']);
    assert.equal(await hosts.host.readFile(configFile), config);
    await waitUntil({
      what: 'all units run on the other host',
      read: () => listUnits(hosts.other),
      until: (rows) =>
        rows.length === names.length &&
        rows.every(({ machine, active }) => machine === hosts.other.machineId && active === 'active'),
    });
    await hosts.mustDpkg(['--install', hosts.debOf('fleetd', older)]);
    assert.equal(await hosts.host.readFile(configFile), config);
    await untilMachines(hosts.other, hosts.lab.hosts);
  });

  it('stop the host’s units when they are removed while etcd is away, and leave no file behind', async () => {
    await hosts.joinCluster();
    await hosts.startUnits(names);
    const [etcd] = hosts.lab.etcd;
    await etcd?.signal('SIGSTOP');
    try {
      await hosts.mustDpkg(['--remove', 'fleetd']);
      assert.deepEqual(await runningUnits(hosts.host), []);
      assert.doesNotMatch(await hosts.mustDpkg(['--purge', 'fleetd']), /Failed|Warning/);
    } finally {
      await etcd?.signal('SIGCONT');
    }
    assert.deepEqual(await hosts.leftovers(), []);
  });

  it('end units that were told to stay when they are purged', async () => {
    await hosts.joinCluster({ on_stop: 'stay' });
    await hosts.startUnits(names);
    const here = await runningUnits(hosts.host);
    assert.equal(here.length, 2);
    await hosts.mustDpkg(['--remove', 'fleetd']);
    assert.deepEqual(await runningUnits(hosts.host), here);
    await hosts.host.writeFile('/etc/fleet/units/notes', 'an owner wrote this');
    await hosts.host.writeFile('/etc/fleet/own/notes', 'configuration');
    await hosts.mustDpkg(['--purge', 'fleetd']);
    assert.deepEqual(await runningUnits(hosts.host), []);
    const kept = ['/etc/fleet', '/etc/fleet/units', '/etc/fleet/units/notes'];
    assert.deepEqual(await hosts.leftovers(), kept, 'what people have put among the units stays');
    await hosts.host.mustExec(['rm', '-r', '/etc/fleet']);
  });
});
