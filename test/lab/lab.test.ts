import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createLab, type Lab, LabInUseError, labObstacle, type TestHost, waitUntil } from './index.js';

const sleeper = '[Service]\nExecStart=/bin/sleep infinity\n';

describe('a lab', { skip: labObstacle() }, () => {
  let lab: Lab;
  let first: TestHost;
  let second: TestHost;

  before(async () => {
    lab = await createLab({ name: `self-${process.pid}`, hosts: 2 });
    const [one, two] = lab.hosts;
    assert.ok(one && two);
    first = one;
    second = two;
  });

  after(() => lab.close());

  const isActive = async (host: TestHost) => (await host.exec(['systemctl', 'is-active', 'same'])).stdout.trim();

  it('gives each host its own name, machine ID and units, even under equal names', async () => {
    for (const host of lab.hosts) {
      assert.equal((await host.mustExec(['hostname'])).trim(), host.name);
      assert.equal((await host.readFile('/etc/machine-id')).trim(), host.machineId);
      await host.writeFile('/etc/systemd/system/same.service', sleeper);
      await host.mustExec(['systemctl', 'daemon-reload']);
      await host.mustExec(['systemctl', 'start', 'same']);
    }
    await first.mustExec(['systemctl', 'stop', 'same']);
    assert.equal(await isActive(first), 'inactive');
    assert.equal(await isActive(second), 'active');
  });

  it('lets every host reach etcd, until its cable is pulled', async () => {
    const health = ['etcdctl', '--endpoints', lab.etcdUrls, '--command-timeout=1s', 'endpoint', 'health'];
    for (const host of lab.hosts) await host.mustExec(health);
    await first.cutNetwork();
    assert.notEqual((await first.exec(health)).code, 0);
    await second.mustExec(health);
    await first.healNetwork();
    await waitUntil({ what: 'etcd is reached again', read: () => first.exec(health), until: ({ code }) => code === 0 });
  });

  it('keeps files and the journal of a host that is cut from power, and boots it again', async () => {
    await first.mustExec(['systemctl', 'start', 'same']);
    await first.powerCut();
    assert.equal(first.isUp, false);
    assert.equal(await isActive(second), 'active');
    assert.match(await first.readFile('/etc/systemd/system/same.service'), /infinity/);
    await first.boot();
    assert.equal(await isActive(first), 'inactive');
    await first.powerOff();
    assert.match(await first.journal(), /Stopped target/);
  });

  it('gives a host a /usr of its own to install into, which outlives a power cut', async () => {
    const own = await createLab({ name: `usr-${process.pid}`, hosts: 1, usr: 'writable' });
    try {
      const [host] = own.hosts;
      assert.ok(host);
      await host.writeFile('/usr/local/bin/mine', '#!/bin/sh\n');
      await host.writeFile('/var/lib/dpkg/mine', '');
      await host.powerCut();
      await host.boot();
      await host.mustExec(['ls', '/usr/local/bin/mine', '/var/lib/dpkg/mine']);
      assert.match(await host.mustExec(['dpkg', '--status', 'dpkg']), /Status: install ok installed/);
      for (const path of ['/usr/local/bin/mine', '/var/lib/dpkg/mine']) assert.equal(existsSync(path), false);
    } finally {
      await own.close();
    }
    assert.deepEqual(await leftovers(own.directory), []);
  });

  it('refuses a second lab of the same name', async () => {
    await assert.rejects(createLab({ name: `self-${process.pid}` }), LabInUseError);
  });

  it('is removed when its owner is killed', async () => {
    const owner = fileURLToPath(new URL('./lab-owner.js', import.meta.url));
    const child = spawn(process.execPath, [owner, `owned-${process.pid}`], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [directory] = (await once(createInterface(child.stdout), 'line')) as [string];
    assert.equal(existsSync(directory), true);
    child.kill('SIGKILL');
    await waitUntil({ what: 'it is gone', read: async () => existsSync(directory), until: (exists) => !exists });
    assert.deepEqual(await leftovers(directory), []);
  });

  it('leaves nothing behind', async () => {
    await lab.close();
    assert.equal(existsSync(lab.directory), false);
    assert.deepEqual(await leftovers(lab.directory), []);
  });
});

/** Mounts, processes and control groups that bear a lab's name. */
async function leftovers(directory: string): Promise<string[]> {
  const name = basename(directory);
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n').filter((line) => line.includes(name));
  const processes: string[] = [];
  for (const pid of (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry))) {
    const argv = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (argv.includes(name)) processes.push(argv.replaceAll('\0', ' '));
  }
  const directories = ['/dev/shm', '/sys/fs/cgroup/systemd', '/sys/fs/cgroup/unified', '/sys/fs/cgroup'];
  const found = [...directories, '/run/systemd/nspawn/propagate'].filter((each) => existsSync(`${each}/${name}`));
  return [...mounts, ...processes, ...found];
}
