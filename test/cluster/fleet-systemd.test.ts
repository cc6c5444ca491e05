import assert from 'node:assert/strict';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { silentLogger, systemClock } from '@flotilla/runtime';
import { SystemctlUnitManager } from '@flotilla/systemd';
import { parseUnitName } from '@flotilla/unit';
import { createLab, type Lab, labObstacle, showProperty, type TestHost, waitUntil } from '../lab/index.js';

const hello = parseUnitName('hello.service');
/** One process: where cgroups are of version 1, systemd in a container may wait for nothing when several end. */
const text = '[Service]\nExecStart=/bin/sleep 100\n';
/** fleet's of this text. */
const hash = '1c6fb6f3684bafb0c173d8b8b957ceff031180c1';

describe('fleet’s functional test of its way to systemd', { skip: labObstacle() }, () => {
  let lab: Lab;
  let host: TestHost;
  let units: string;
  let manager: SystemctlUnitManager;

  before(async () => {
    lab = await createLab({ name: `fleet-systemd-${process.pid}`, hosts: 1, etcdMembers: 0 });
    const [only] = lab.hosts;
    assert.ok(only);
    host = only;
    units = join(lab.shared, 'units');
    await mkdir(units);
    manager = new SystemctlUnitManager({
      unitsDirectory: units,
      user: false,
      busSocket: host.outside('/run/dbus/system_bus_socket'),
      hostRoot: host.root,
      clock: systemClock,
      log: silentLogger,
      run: async (program, args) => {
        const { code, ...said } = await host.exec([program, ...args]);
        return { exitCode: code, ...said };
      },
    });
  });

  after(async () => {
    manager.close();
    await lab.close();
  });

  const untilIs = (wanted: string) =>
    waitUntil({
      what: `${hello} is ${wanted}`,
      read: async () => (await manager.listUnits([hello])).get(hello),
      until: (unit) => [unit?.load, unit?.active, unit?.sub].join('/') === wanted,
    });

  it('SystemdUnitFlow', async () => {
    assert.deepEqual([...(await manager.listFiles())], []);
    assert.deepEqual([...(await manager.load([{ name: hello, content: new TextEncoder().encode(text) }]))], []);
    assert.deepEqual(
      [...(await manager.listFiles())].map(([name, file]) => [name, file.hash]),
      [[hello, hash]],
    );
    await untilIs('loaded/inactive/dead');
    assert.equal((await host.exec(['systemctl', 'is-enabled', hello])).stdout, 'linked-runtime\n');
    assert.deepEqual([...(await manager.start([hello]))], []);
    await untilIs('loaded/active/running');
    assert.notEqual(await showProperty(host, hello, 'MainPID'), '0');
    assert.deepEqual([...(await manager.stop([hello]))], []);
    await untilIs('loaded/inactive/dead');
    assert.deepEqual([...(await manager.unload([hello]))], []);
    assert.deepEqual([...(await manager.listFiles())], []);
    assert.deepEqual(await readdir(units), []);
    assert.equal(await showProperty(host, hello, 'LoadState'), 'not-found');
  });
});
