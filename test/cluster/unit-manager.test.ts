import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';
import { type Logger, silentLogger, sleep, systemClock } from '@flotilla/runtime';
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
  readonly user?: TestUser;
  /** As this process sees it. @default no bus: the fallback is under test */
  readonly busSocket?: string;
}

const systemBus = '/run/dbus/system_bus_socket';

function ownerOf(host: TestHost, user: TestUser | undefined): Owner {
  if (user === undefined) {
    const { exec, mustExec, writeFile } = host;
    const bound = { exec: exec.bind(host), mustExec: mustExec.bind(host), writeFile: writeFile.bind(host) };
    return { ...bound, systemctl: ['systemctl'], ownUnits: '/etc/systemd/system' };
  }
  const { exec, mustExec, writeFile, home } = user;
  return { exec, mustExec, writeFile, systemctl: ['systemctl', '--user'], ownUnits: `${home}/.config/systemd/user` };
}

async function open({ lab, host, user, busSocket }: Place): Promise<UnitManagerUnderTest> {
  const [owner, isUser] = [ownerOf(host, user), user !== undefined];
  const { systemctl, ownUnits } = owner;
  const run: RunCommand = async (program, args) => {
    const { code, stdout, stderr } = await owner.exec([program, ...args]);
    return { exitCode: code, stdout, stderr };
  };
  // The files are written by this process and read by the host's systemd: both see the shared directory.
  const unitsDirectory = join(lab.shared, isUser ? 'user-units' : 'units');
  await mkdir(unitsDirectory, { recursive: true });
  const own = { unitsDirectory, user: isUser, run, hostRoot: host.root, ...(busSocket !== undefined && { busSocket }) };
  const { log, connected } = listenForBus();
  const manager = new SystemctlUnitManager({ ...own, clock: systemClock, log });
  if (busSocket !== undefined) await connected;
  const added: UnitFileToLoad[] = [];
  return {
    manager,
    advance: (ms) => sleep(systemClock, ms),
    hostUnitsDirectory: ownUnits,
    addHostUnit: async (unit) => {
      added.push(unit);
      await owner.writeFile(`${ownUnits}/${unit.name}`, new TextDecoder().decode(unit.content));
      await owner.mustExec([...systemctl, 'daemon-reload']);
      await owner.mustExec([...systemctl, 'start', '--', unit.name]);
    },
    close: async () => {
      manager.close();
      for (const { name } of added) {
        await owner.mustExec([...systemctl, 'stop', '--', name]);
        await owner.mustExec(['rm', '--', `${ownUnits}/${name}`]);
      }
      if (added.length > 0) await owner.mustExec([...systemctl, 'daemon-reload']);
    },
  };
}

/** A log, and when it says that signals come. */
function listenForBus(): { readonly log: Logger; readonly connected: Promise<void> } {
  let isConnected: () => void;
  const connected = new Promise<void>((resolve) => {
    isConnected = resolve;
  });
  const info = (message: string) => {
    if (message.includes('D-Bus signals')) isConnected();
  };
  return { log: { ...silentLogger, info }, connected };
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

  unitManagerContract('by systemctl alone', () => open({ lab, host: findHost() }));

  unitManagerContract('with D-Bus', () => {
    const host = findHost();
    return open({ lab, host, busSocket: host.outside(systemBus) });
  });

  describe('with a user', { skip: userObstacle() }, () => {
    let user: TestUser;
    let busSocket: string;

    before(async () => {
      user = await addUser(findHost());
      busSocket = await openUserBus(findHost(), user);
    });

    unitManagerContract('with D-Bus', () => open({ lab, host: findHost(), user, busSocket }));
  });
});

/** A user's bus speaks with that user only, and this process is root: a program of the user's passes on what is said. */
async function openUserBus(host: TestHost, user: TestUser): Promise<string> {
  const units = `${user.home}/.config/systemd/user`;
  await user.writeFile(`${units}/relay.socket`, '[Socket]\nListenStream=%t/relay\nAccept=yes\n');
  const bridge =
    '[Service]\nStandardInput=socket\nExecStart=/usr/bin/systemd-stdio-bridge --bus-path=unix:path=%t/bus\n';
  await user.writeFile(`${units}/relay@.service`, bridge);
  await user.mustExec(['systemctl', '--user', 'daemon-reload']);
  await user.mustExec(['systemctl', '--user', 'start', 'relay.socket']);
  return host.outside(`${user.runtimeDirectory}/relay`);
}
