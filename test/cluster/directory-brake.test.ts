import assert from 'node:assert/strict';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fleetctl, labObstacle, mustFleetctl, type TestHost, untilMachines, waitUntil } from '../lab/index.js';
import { Checkout, type DirectoryOnHost, findDirectory, untilDirectory, untilVersions, versioned } from './checkout.js';
import { Cluster } from './cluster.js';
import { assertUntouched, recordRuns } from './unit-runs.js';

const path = '/srv/units';
const config = '/etc/fleet/fleet.conf';

describe('nothing is destroyed by a directory that is not what it was', { skip: labObstacle() }, () => {
  let cluster: Cluster;
  let first: Checkout;
  let second: Checkout;
  let third: Checkout;

  before(async () => {
    cluster = await Cluster.start('directory-brake', { config: { unit_dirs: 'none' } });
    const [one, two, three] = cluster.lab.hosts.map((host) => new Checkout(host, path));
    assert.ok(one && two && three);
    [first, second, third] = [one, two, three];
  });
  after(() => cluster.close());

  /** Has a host watch `web:/srv/units`. */
  async function watch(host: TestHost): Promise<void> {
    const text = await host.readFile(config);
    await host.writeFile(config, text.replace(/unit_dirs = .*/, `unit_dirs = web:${path}`));
    await host.mustExec(['systemctl', 'reload', 'fleet.service']);
  }

  function until(on: Checkout, what: string, isSo: (seen: DirectoryOnHost) => boolean): Promise<DirectoryOnHost> {
    return untilDirectory('web', { asked: cluster.anyHost, on: on.host, what, until: isSo });
  }

  function untilRunning(lines: readonly string[], what: string): Promise<void> {
    return untilVersions(cluster.lab.hosts, lines, { what, onTimeout: () => cluster.details() });
  }

  const names = ['a', 'b', 'c', 'd', 'e'].map((letter) => `test-${letter}.service`);
  const all = (version: string) => names.map((name) => `${name} ${version}`);

  it('a mount that is gone, with whatever lies below it', async () => {
    const { host } = first;
    await host.mustExec(['mkdir', '-p', '/srv/disk', path]);
    await host.mustExec(['mount', '--bind', '/srv/disk', path]);
    for (const name of names) await host.writeFile(`${path}/${name}`, versioned('1'));
    await watch(host);
    await untilRunning(all('1'), 'what the mount has runs');
    const before = await recordRuns(cluster.lab.hosts);

    await host.mustExec(['umount', path]);
    const { held } = await until(first, 'the removal is held back', (seen) => seen.held !== undefined);
    assert.equal(held?.count, names.length);
    const { stdout, stderr } = await fleetctl(cluster.anyHost, ['dirs']);
    assert.match(stdout + stderr, /fleetctl dirs confirm web/);
    await assertUntouched(before, cluster.lab.hosts);

    await host.mustExec(['mount', '--bind', '/srv/disk', path]);
    await until(first, 'nothing is held back any more', (seen) => seen.held === undefined);
    await assertUntouched(before, cluster.lab.hosts);
  });

  it('the same with two files, and with a restart meanwhile', async () => {
    const { host } = first;
    for (const name of names.slice(2)) await host.mustExec(['rm', `${path}/${name}`]);
    await until(first, 'more than half of five are gone', (seen) => seen.held?.why === 'most-gone');
    await mustFleetctl(cluster.anyHost, ['dirs', 'confirm', 'web']);
    await untilRunning(all('1').slice(0, 2), 'what was confirmed is destroyed');
    const before = await recordRuns(cluster.lab.hosts);
    await host.mustExec(['systemctl', 'kill', '--signal=KILL', 'fleet.service']);
    await host.mustExec(['umount', path]);
    await until(first, 'the removal is held back', (seen) => seen.held !== undefined);
    await assertUntouched(before, cluster.lab.hosts);
    await host.mustExec(['systemctl', 'restart', 'fleet.service']);
    await until(first, 'it still is', (seen) => seen.held !== undefined);
    await host.mustExec(['rmdir', path]);
    await until(first, 'there is no directory at all', (seen) => !seen.isThere && seen.held?.why === 'directory-gone');
    await assertUntouched(before, cluster.lab.hosts);
    // From here on without a mount.
    await host.mustExec(['mv', '/srv/disk', path]);
    await until(first, 'all is there', (seen) => seen.isThere && seen.held === undefined);
    for (const name of names) await first.save(name, versioned('2'));
    await untilRunning(all('2'), 'the directory counts again');
  });

  it('a new host with an empty copy, and one with an old copy', async () => {
    const before = await recordRuns(cluster.lab.hosts);
    await second.make();
    await third.make();
    await third.save('test-a.service', versioned('1'));
    await watch(second.host);
    await watch(third.host);
    const { units } = await until(third, 'it has one unit', (seen) => seen.units === 1);
    assert.equal(units, 1);
    await until(second, 'it has none', (seen) => seen.units === 0 && seen.isThere);
    await assertUntouched(before, cluster.lab.hosts);
    const directory = await findDirectory(cluster.anyHost, 'web');
    const held = directory?.unitList?.find(({ name }) => name === 'test-a.service');
    const behind = held?.claimants.filter(({ isBehind }) => isBehind === true);
    assert.deepEqual(
      behind?.map(({ claimant }) => claimant),
      [third.host.machineId],
    );
  });

  it('a host restarted with an old copy: neither what others removed nor what they changed comes back or goes', async () => {
    for (const name of names) await second.save(name, versioned('2'));
    await until(second, 'it has all', (seen) => seen.units === names.length);
    await second.host.powerCut();
    await first.save('test-b.service', versioned('3'));
    await first.remove('test-c.service');
    await first.save('test-f.service', versioned('3'));
    const now = ['test-a.service 2', 'test-b.service 3', 'test-c.service 2', 'test-d.service 2', 'test-e.service 2'];
    await untilRunning(
      [...now, 'test-f.service 3'],
      'what the first host changed counts; a host that is gone keeps its own',
    );
    await second.host.boot();
    await untilMachines(cluster.anyHost, cluster.lab.hosts);
    await until(second, 'it is back', (seen) => seen.isLost !== true && seen.units === names.length);
    await untilRunning([...now, 'test-f.service 3'], 'its old copy has changed nothing');
    await second.remove('test-c.service');
    const left = [...now.filter((line) => !line.startsWith('test-c')), 'test-f.service 3'];
    await untilRunning(left, 'the last claim has gone');
  });

  it('a host whose disk was restored from an older copy', async () => {
    // Only this host has these.
    await second.save('test-x.service', versioned('1'));
    await until(second, 'x is known', (seen) => seen.units === 5);
    await second.host.powerOff();
    const { root } = second.host;
    for (const folder of ['srv/units', 'var/lib/fleet'])
      await cp(join(root, folder), join(root, 'old', folder), { recursive: true, preserveTimestamps: true });
    await second.host.boot();
    await untilMachines(cluster.anyHost, cluster.lab.hosts);
    await second.save('test-x.service', versioned('2'));
    await second.save('test-y.service', versioned('1'));
    const others = ['test-a.service 2', 'test-b.service 3', 'test-d.service 2', 'test-e.service 2', 'test-f.service 3'];
    const now = [...others, 'test-x.service 2', 'test-y.service 1'];
    await untilRunning(now, 'x has changed, y is new');

    await second.host.powerCut();
    for (const folder of ['srv/units', 'var/lib/fleet']) {
      await rm(join(root, folder), { recursive: true });
      await cp(join(root, 'old', folder), join(root, folder), { recursive: true, preserveTimestamps: true });
    }
    await second.host.boot();
    await untilMachines(cluster.anyHost, cluster.lab.hosts);
    const { held } = await until(second, 'what is missing is held back', (seen) => seen.held !== undefined);
    assert.deepEqual([held?.why, held?.units], ['older-copy', ['test-y.service']]);
    await untilRunning(now, 'an old disk has changed nothing');
    await mustFleetctl(cluster.anyHost, ['dirs', 'confirm', 'web']);
    await untilRunning(now.slice(0, -1), 'it was meant');
  });

  it('claims of a host that is gone stay until it is forgotten', async () => {
    assert.equal((await fleetctl(cluster.anyHost, ['dirs', 'forget', second.host.machineId])).code, 1);
    await second.host.powerCut();
    await waitUntil({
      what: 'the host is gone',
      read: () => fleetctl(cluster.anyHost, ['dirs', 'forget', '--dry-run', second.host.machineId]),
      until: ({ code, stdout }) => code === 0 && /test-x\.service/.test(stdout),
    });
    await untilRunning(
      [
        'test-a.service 2',
        'test-b.service 3',
        'test-d.service 2',
        'test-e.service 2',
        'test-f.service 3',
        'test-x.service 2',
      ],
      'its units run elsewhere',
    );
    await mustFleetctl(cluster.anyHost, ['dirs', 'forget', second.host.machineId]);
    await untilRunning(
      ['test-a.service 2', 'test-b.service 3', 'test-d.service 2', 'test-e.service 2', 'test-f.service 3'],
      'what it alone had is destroyed',
    );
  });

  it('others can start and stop units, but not destroy or change them, before they are adopted', async () => {
    const asked = cluster.anyHost;
    const [a, b] = names;
    assert.ok(a && b);
    await mustFleetctl(asked, ['stop', a]);
    const other = await cluster.unitFile(a, versioned('9'));
    for (const args of [
      ['destroy', a],
      ['start', '--replace', other],
    ]) {
      const { code, stderr } = await fleetctl(asked, args);
      assert.equal(code, 1, args.join(' '));
      assert.match(stderr, /owned by the directory "web".*fleetctl adopt/s);
    }
    const rest = ['test-b.service 3', 'test-d.service 2', 'test-e.service 2', 'test-f.service 3'];
    await untilRunning(rest, 'stopped stays stopped');
    await first.save(a, versioned('4'));
    await untilRunning(['test-a.service 4', ...rest], 'a changed file is started');
    await mustFleetctl(asked, ['adopt', a]);
    await mustFleetctl(asked, ['destroy', a]);
    await untilRunning(rest, 'adopted, it can be destroyed');
    await mustFleetctl(asked, ['adopt', b]);
    await first.save(b, versioned('5'));
    const { conflicts } = await until(first, 'it may not touch b any more', (seen) => seen.conflictCount === 1);
    assert.deepEqual(conflicts, [{ unit: b }]);
    assert.match(await first.host.journal('fleet.service'), /belongs to somebody else.*test-b\.service/);
    const owners = await mustFleetctl(asked, ['list-unit-files', '--no-legend', '--fields=unit,owner', b]);
    assert.equal(owners, `${b}\t- (also in web)\n`);
    await untilRunning(rest, 'b is as it was');
    await mustFleetctl(asked, ['adopt', '--owner', 'web', b]);
    await untilRunning(['test-b.service 5', ...rest.slice(1)], 'given back, the directory counts');
  });
});
