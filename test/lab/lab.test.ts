import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
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

  it('refuses a second lab of the same name', async () => {
    await assert.rejects(createLab({ name: `self-${process.pid}` }), LabInUseError);
  });

  it('leaves nothing behind', async () => {
    await lab.close();
    assert.equal(existsSync(lab.directory), false);
  });
});
