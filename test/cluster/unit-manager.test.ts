import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';
import { silentLogger, sleep, systemClock } from '@flotilla/runtime';
import { type RunCommand, SystemctlUnitManager, type UnitFileToLoad } from '@flotilla/systemd';
import { unitManagerContract } from '@flotilla/systemd/contract';
import { createLab, type Lab, labObstacle } from '../lab/index.js';

describe('on a host with systemd', { skip: labObstacle() }, () => {
  let lab: Lab;

  before(async () => {
    lab = await createLab({ name: `units-${process.pid}`, hosts: 1, etcdMembers: 0 });
  });

  after(() => lab.close());

  const findHost = () => {
    const [host] = lab.hosts;
    if (host === undefined) throw new Error('the lab has no host');
    return host;
  };

  const onHost: RunCommand = async (program, args) => {
    const host = findHost();
    const { code, stdout, stderr } = await host.exec([program, ...args]);
    return { exitCode: code, stdout, stderr };
  };

  unitManagerContract('systemctl', async () => {
    // The files are written by this process and read by the host's systemd: both see the shared directory.
    const unitsDirectory = join(lab.shared, 'units');
    await mkdir(unitsDirectory, { recursive: true });
    const options = {
      unitsDirectory,
      user: false,
      clock: systemClock,
      log: silentLogger,
      run: onHost,
      hostRoot: findHost().root,
    };
    const added: UnitFileToLoad[] = [];
    return {
      manager: new SystemctlUnitManager(options),
      advance: (ms) => sleep(systemClock, ms),
      addHostUnit: async (unit) => {
        added.push(unit);
        await findHost().writeFile(`/etc/systemd/system/${unit.name}`, unit.content);
        await findHost().mustExec(['systemctl', 'daemon-reload']);
        await findHost().mustExec(['systemctl', 'start', '--', unit.name]);
      },
      close: async () => {
        for (const { name } of added) {
          await findHost().mustExec(['systemctl', 'stop', '--', name]);
          await findHost().mustExec(['rm', '--', `/etc/systemd/system/${name}`]);
        }
        if (added.length > 0) await findHost().mustExec(['systemctl', 'daemon-reload']);
      },
    };
  });
});
