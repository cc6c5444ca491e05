import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createLab, type Lab, labObstacle, showProperty, singleFiles, type TestHost, waitUntil } from '../lab/index.js';
import { mainPids, sleeper } from './cluster.js';
import { readChapter } from './readme.js';

/** What people are told to type on a host. */
const [group = '', ...others] = await readChapter('On your own hosts');
const [install = '', upgrade = '', uninstall = '', ...more] = await readChapter('With fleetd install');
const [byCommand = '', byDirectory = '', look = '', change = '', byApi = '', ...furtherWays] =
  await readChapter('Quick start: three ways in');
const examples = ['hello.service', 'log-shipper.service', 'host-monitor.service'];
const unit = 'test-installed.service';

describe('fleetd on one’s own host, as the README has it', { skip: labObstacle() }, () => {
  let lab: Lab;
  let host: TestHost;

  before(async () => {
    lab = await createLab({ name: `install-${process.pid}`, hosts: 1, usr: 'writable' });
    const [only] = lab.hosts;
    assert.ok(only);
    host = only;
    for (const name of ['fleetd', 'fleetctl']) await copy(name, await readFile(join(singleFiles, name)));
    const folder = new URL('../../../units-examples/', import.meta.url);
    for (const name of examples) await host.writeFile(`/root/${name}`, await readFile(new URL(name, folder), 'utf8'));
  });

  after(() => lab.close());

  /** Stands for the README's `scp`. */
  const copy = async (name: string, content: Uint8Array) => {
    await host.writeFile(`/root/${name}`, content);
    await host.mustExec(['chmod', '755', `/root/${name}`]);
  };
  /** Types a block of the README. Only addresses are the lab's own. */
  const type = (block: string) => {
    const script = block.replaceAll('http://10.0.0.1:2379', lab.etcdUrls);
    return host.mustExec(['sh', '-e', '-c', `cd /root\n${script}`]);
  };
  const show = (property: string) => showProperty(host, 'fleet.service', property);
  const pids = async () => (await mainPids(host, ['fleet.service', unit])) as ReadonlyMap<string, string>;
  const exists = async (path: string) => (await host.exec(['test', '-e', path])).code === 0;
  const as = async (user: string, argv: readonly string[]) => {
    const group = (await host.mustExec(['id', '--group', user])).trim();
    return host.exec(['setpriv', `--reuid=${user}`, `--regid=${group}`, '--init-groups', '--', ...argv]);
  };

  it('is a service that runs, and a machine of its cluster', async () => {
    assert.deepEqual([...others, ...more], []);
    const said = await type(install);
    assert.match(said, /^write \/usr\/local\/bin\/fleetd$/m);
    assert.match(said, /^make \/etc\/fleet\/units$/m);
    assert.equal(await host.mustExec(['stat', '--format=%U %a', '/etc/fleet/units']), 'root 755\n');
    assert.match(said, /Active: active \(running\)/);
    assert.match(said, /Status: "In contact with its cluster"/);
    assert.match(said, new RegExp(`^${host.machineId.slice(0, 8)}.*disk=ssd`, 'm'));
    const properties = ['UnitFileState', 'Restart', 'WatchdogUSec', 'OOMScoreAdjust'];
    assert.deepEqual(await Promise.all(properties.map(show)), ['enabled', 'always', '30s', '-900']);
    await host.writeFile(`/root/${unit}`, sleeper);
    await host.mustExec(['/usr/local/bin/fleetctl', 'start', `/root/${unit}`]);
  });

  it('has units that systemd finds nothing wrong with', async () => {
    const paths = ['service', 'socket'].map((kind) => `/etc/systemd/system/fleet.${kind}`);
    assert.deepEqual(await host.exec(['systemd-analyze', 'verify', ...paths]), { code: 0, stdout: '', stderr: '' });
  });

  it('opens its door to the group fleet, and to nobody else', async () => {
    await host.mustExec(['useradd', '--user-group', '--no-create-home', 'alice']);
    const list = ['/usr/local/bin/fleetctl', 'list-machines'];
    assert.match((await as('alice', list)).stderr, /permission denied.*\n.*usermod --append --groups fleet/);
    await type(group);
    const { code, stdout, stderr } = await as('alice', list);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /disk=ssd/);
    assert.match((await as('nobody', list)).stderr, /permission denied/);
    assert.equal((await host.mustExec(['stat', '--format=%a %G', '/run/fleet.sock'])).trim(), '660 fleet');
  });

  it('takes units by a command, by a directory and by the API', async () => {
    assert.deepEqual(furtherWays, []);
    const [hello, shipper] = examples;
    const all = [...examples, 'sleep.service'];
    const untilOnly = (...wanted: readonly (string | undefined)[]) =>
      waitUntil({
        what: `of these units, only ${wanted.join()} run`,
        read: async () => (await host.exec(['systemctl', 'is-active', ...all])).stdout.trim().split('\n'),
        until: (states) => all.every((name, at) => (states[at] === 'active') === wanted.includes(name)),
        onTimeout: () => host.journal('fleet.service'),
      });
    await type(byCommand);
    await untilOnly(hello);
    await type(byDirectory);
    await untilOnly(...examples);
    const said = await type(look);
    assert.match(said, /^local\s+\S+\s+\/etc\/fleet\/units\s+2\s+ok\s/m);
    assert.equal(said.match(/\sactive\s+running$/gm)?.length, 2, said);
    await type(change);
    await untilOnly(hello, shipper);
    const read = () => showProperty(host, shipper ?? '', 'Environment');
    await waitUntil({ what: 'the changed unit', read, until: (now) => now.includes('MOST_BYTES=10000000') });
    await type(byApi);
    await untilOnly(hello, shipper, 'sleep.service');
    await host.mustExec(['rm', `/etc/fleet/units/${shipper}`]);
    await host.mustExec(['/usr/local/bin/fleetctl', 'destroy', 'hello', 'sleep']);
    await untilOnly();
  });

  it('is upgraded while its units run, and keeps the configuration as it was edited', async () => {
    const config = `${await host.readFile('/etc/fleet/fleet.conf')}agent_ttl = 5s\n`;
    await host.writeFile('/etc/fleet/fleet.conf', config);
    const newer = Buffer.concat([await readFile(join(singleFiles, 'fleetd')), Buffer.from('// a newer one\n')]);
    await copy('fleetd', newer);
    const before = await pids();
    const said = await type(upgrade);
    assert.match(said, /^write \/usr\/local\/bin\/fleetd$/m);
    assert.match(said, /^keep \/usr\/local\/bin\/fleetctl/m);
    assert.match(said, /^keep \/etc\/fleet\/units: it is yours$/m);
    const after = await pids();
    assert.notEqual(after.get('fleet.service'), before.get('fleet.service'));
    assert.equal(after.get(unit), before.get(unit));
    assert.match(await host.readFile('/usr/local/bin/fleetd'), /a newer one/);
    assert.equal(await host.readFile('/etc/fleet/fleet.conf'), config);
  });

  it('is not replaced by one that the configuration would not let start', async () => {
    const config = await host.readFile('/etc/fleet/fleet.conf');
    await host.writeFile('/etc/fleet/fleet.conf', `${config}agent_ttl = soon\n`);
    const before = await pids();
    const { code, stdout, stderr } = await host.exec(['/root/fleetd', 'install']);
    await host.writeFile('/etc/fleet/fleet.conf', config);
    assert.equal(code, 1);
    assert.equal(stdout, '');
    assert.match(stderr, /^fleetd: \/etc\/fleet\/fleet.conf:\d+: agent_ttl is "soon"/);
    assert.deepEqual(await pids(), before);
  });

  it('is started again when it hangs, and its units run on', async () => {
    await host.writeFile('/etc/systemd/system/fleet.service.d/watchdog.conf', '[Service]\nWatchdogSec=3\n');
    await host.mustExec(['systemctl', 'daemon-reload']);
    await host.mustExec(['systemctl', 'restart', 'fleet.service']);
    const before = await pids();
    await host.mustExec(['systemctl', 'kill', '--kill-who=main', '--signal=SIGSTOP', 'fleet.service']);
    const isAnother = (pid: string | undefined) => pid !== '0' && pid !== before.get('fleet.service');
    const after = await waitUntil({
      what: 'another fleetd runs',
      read: pids,
      until: (seen) => isAnother(seen.get('fleet.service')),
      onTimeout: () => host.journal('fleet.service'),
    });
    assert.equal(after.get(unit), before.get(unit));
    assert.equal(await show('NRestarts'), '1');
  });

  it('is let be while etcd is away, also when it starts then', async () => {
    const [etcd] = lab.etcd;
    const untilStatus = (text: string) =>
      waitUntil({ what: `its status is "${text}"`, read: () => show('StatusText'), until: (seen) => seen === text });
    await untilStatus('In contact with its cluster');
    await etcd?.signal('SIGSTOP');
    await host.mustExec(['systemctl', 'restart', 'fleet.service']);
    const before = await pids();
    await untilStatus('Not in contact with etcd; units run on');
    const lastSign = () => show('WatchdogTimestampMonotonic');
    for (let sign = await lastSign(), count = 0; count < 4; count++) {
      const next = { what: 'it gives a sign of life', read: lastSign, until: (seen: string) => seen !== sign };
      sign = await waitUntil(next);
    }
    await etcd?.signal('SIGCONT');
    await untilStatus('In contact with its cluster');
    assert.deepEqual(await pids(), before);
    assert.equal(await show('NRestarts'), '0');
  });

  it('is root’s to install', async () => {
    const { code, stderr } = await as('nobody', ['/usr/local/bin/fleetd', 'install', '--uninstall']);
    assert.equal(code, 1);
    assert.match(stderr, /^fleetd: install needs root\n/);
  });

  it('leaves the host and the cluster, and keeps what is the owner’s', async () => {
    const dry = await host.mustExec(['/usr/local/bin/fleetd', 'install', '--uninstall', '--dry-run']);
    assert.match(dry, /Nothing of this was done/);
    const said = await type(uninstall);
    assert.equal(said.split('\n').slice(0, -2).join(), dry.split('\n').slice(0, -2).join());
    for (const path of ['/usr/local/bin/fleetd', '/usr/local/bin/fleetctl', '/etc/systemd/system/fleet.service'])
      assert.equal(await exists(path), false, path);
    for (const path of ['/run/fleet.sock', '/run/fleet', '/etc/systemd/system/fleet.socket'])
      assert.equal(await exists(path), false, path);
    assert.equal((await host.exec(['systemctl', 'is-active', unit])).stdout.trim(), 'inactive');
    assert.match(await lab.etcdctl(['get', `/_coreos.com/fleet/members/${host.machineId}`]), /left/);
    assert.match(await host.readFile('/etc/fleet/fleet.conf'), /agent_ttl = 5s/);
  });

  it('takes its units along when it is purged, even if it was told to leave them be', async () => {
    const config = await host.readFile('/etc/fleet/fleet.conf');
    await host.writeFile('/etc/fleet/fleet.conf', `${config}on_stop = stay\n`);
    await type(upgrade);
    const isActive = async () => (await host.exec(['systemctl', 'is-active', unit])).stdout.trim();
    await waitUntil({ what: `${unit} is back`, read: isActive, until: (state) => state === 'active' });
    const pid = (await pids()).get(unit);
    assert.match(await type(uninstall), new RegExp(`^keep ${unit}: this host did not leave`, 'm'));
    assert.equal((await pids()).get(unit), pid);
    await host.mustExec(['/root/fleetd', 'install', '--uninstall', '--purge']);
    assert.equal(await isActive(), 'inactive');
    const left = ['/etc/fleet', '/var/lib/fleet', `/run/systemd/system/${unit}`];
    for (const path of [...left, '/etc/systemd/system/fleet.service.d']) assert.equal(await exists(path), false, path);
    assert.notEqual((await host.exec(['getent', 'group', 'fleet'])).code, 0);
    assert.match(await host.mustExec(['/root/fleetd', 'install', '--uninstall']), /^There was nothing to remove/);
  });
});
