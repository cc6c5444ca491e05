import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';
import { silentLogger, sleep, systemClock } from '@flotilla/runtime';
import { type RunCommand, SystemctlUnitManager, type UnitFileToLoad } from '@flotilla/systemd';
import { type UnitManagerUnderTest, unitManagerContract } from '@flotilla/systemd/contract';
import { addUser, createLab, type Lab, labObstacle, type TestHost, type TestUser, userObstacle } from '../lab/index.js';

/** Whose systemd is under test. */
interface Owner {
  readonly exec: TestHost['exec'];
  readonly mustExec: TestHost['mustExec'];
  writeFile(path: string, content: string): Promise<void>;
  readonly systemctl: readonly string[];
  /** Where the owner has unit files. */
  readonly ownUnits: string;
}

interface Place {
  readonly lab: Lab;
  readonly host: TestHost;
  readonly owner: Owner;
}

function ownerOf(host: TestHost, user: TestUser | undefined): Owner {
  if (user === undefined) {
    const { exec, mustExec, writeFile } = host;
    const bound = { exec: exec.bind(host), mustExec: mustExec.bind(host), writeFile: writeFile.bind(host) };
    return { ...bound, systemctl: ['systemctl'], ownUnits: '/etc/systemd/system' };
  }
  const { exec, mustExec, writeFile, home } = user;
  return { exec, mustExec, writeFile, systemctl: ['systemctl', '--user'], ownUnits: `${home}/.config/systemd/user` };
}

async function open({ lab, host, owner }: Place, isUser: boolean): Promise<UnitManagerUnderTest> {
  const { systemctl, ownUnits } = owner;
  const run: RunCommand = async (program, args) => {
    const { code, stdout, stderr } = await owner.exec([program, ...args]);
    return { exitCode: code, stdout, stderr };
  };
  // The files are written by this process and read by the host's systemd: both see the shared directory.
  const unitsDirectory = join(lab.shared, isUser ? 'user-units' : 'units');
  await mkdir(unitsDirectory, { recursive: true });
  const options = { unitsDirectory, user: isUser, clock: systemClock, log: silentLogger, run, hostRoot: host.root };
  const added: UnitFileToLoad[] = [];
  return {
    manager: new SystemctlUnitManager(options),
    advance: (ms) => sleep(systemClock, ms),
    hostUnitsDirectory: ownUnits,
    addHostUnit: async (unit) => {
      added.push(unit);
      await owner.writeFile(`${ownUnits}/${unit.name}`, new TextDecoder().decode(unit.content));
      await owner.mustExec([...systemctl, 'daemon-reload']);
      await owner.mustExec([...systemctl, 'start', '--', unit.name]);
    },
    close: async () => {
      for (const { name } of added) {
        await owner.mustExec([...systemctl, 'stop', '--', name]);
        await owner.mustExec(['rm', '--', `${ownUnits}/${name}`]);
      }
      if (added.length > 0) await owner.mustExec([...systemctl, 'daemon-reload']);
    },
  };
}

describe('on a host with systemd', { skip: labObstacle() }, () => {
  let lab: Lab;

  before(async () => {
    lab = await createLab({ name: `units-${process.pid}`, hosts: 1, etcdMembers: 0 });
  });

  after(() => lab.close());

  const findHost = () => {
    const [host] = lab.hosts;
    assert.ok(host, 'the lab has a host');
    return host;
  };

  unitManagerContract('systemctl', async () => {
    const host = findHost();
    return await open({ lab, host, owner: ownerOf(host, undefined) }, false);
  });

  describe('with a user', { skip: userObstacle() }, () => {
    let user: TestUser;

    before(async () => {
      user = await addUser(findHost());
    });

    unitManagerContract('systemctl --user', async () => {
      const host = findHost();
      return await open({ lab, host, owner: ownerOf(host, user) }, true);
    });
  });
});
