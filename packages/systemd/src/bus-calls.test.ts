import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { type Logger, silentLogger, systemClock } from '@flotilla/runtime';
import { parseUnitName } from '@flotilla/unit';
import { SystemctlUnitManager } from './systemctl-unit-manager.js';
import { TestBus } from './test-bus.js';

const [a, b] = [parseUnitName('a.service'), parseUnitName('b.service')];
const content = new TextEncoder().encode('[Service]\nExecStart=/bin/true\n');
const wanted = new TextEncoder().encode('[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n');

let directory: string;
let bus: TestBus;
let programs: string[];
let manager: SystemctlUnitManager;

beforeEach(async () => {
  [bus, directory, programs] = [await TestBus.create(), await mkdtemp(join(tmpdir(), 'flotilla-systemd-')), []];
  await bus.start();
  manager = await open();
});

afterEach(async () => {
  manager.close();
  await bus.close();
  await rm(directory, { recursive: true });
});

/** Over a bus that says what it was told, and a systemctl that does nothing. */
async function open(): Promise<SystemctlUnitManager> {
  let isConnected: () => void;
  const connected = new Promise<void>((resolve) => {
    isConnected = resolve;
  });
  const log: Logger = { ...silentLogger, info: () => isConnected() };
  const opened = new SystemctlUnitManager({
    ...{ unitsDirectory: directory, user: false, busSocket: bus.socket, clock: systemClock, log },
    hostRoot: join(directory, 'root'),
    run: async (_program, args) => {
      if (args.includes('--property=UnitPath'))
        return { exitCode: 0, stdout: '/run/systemd/transient /run/systemd/system\n', stderr: '' };
      const words = args.filter((arg) => !arg.startsWith('-'));
      if (words[0] !== 'list-units') programs.push(words.join(' '));
      return { exitCode: 0, stdout: '[]', stderr: '' };
    },
  });
  await connected;
  return opened;
}

test('few units are linked, started, restarted and stopped over the bus, without a program', async () => {
  const files = [a, b].map((name) => ({ name, content }));
  assert.equal((await manager.load(files)).size, 0);
  for (const verb of ['start', 'restart', 'stop'] as const) assert.equal((await manager[verb]([a, b])).size, 0);
  const jobs = ['start', 'restart', 'stop'].flatMap((verb) => [a, b].map((name) => `${verb} ${name} replace`));
  assert.deepEqual(bus.told, [`link ${a} ${b}`, ...jobs]);
  assert.deepEqual(programs, []);
});

test('many units, and files with an [Install] section, are left to systemctl', async () => {
  const many = Array.from({ length: 9 }, (_, index) => parseUnitName(`${index}.service`));
  await manager.start(many);
  await manager.load([{ name: a, content: wanted }]);
  assert.deepEqual(bus.told, []);
  assert.deepEqual(programs, [`start ${many.join(' ')}`, `enable ${join(directory, a)}`]);
});

test("systemd's word on a unit is its failure, and nobody else's", async () => {
  bus.refusals.set(a, ['org.freedesktop.systemd1.NoSuchUnit', 'Unit a.service not found.']);
  assert.deepEqual([...(await manager.start([a, b]))], [[a, 'Unit a.service not found.']]);
  assert.deepEqual(bus.told, [`start ${b} replace`]);
  assert.deepEqual(programs, []);
});

test('what the bus refuses is left to systemctl', async () => {
  for (const name of [a, b]) bus.refusals.set(name, ['org.freedesktop.DBus.Error.AccessDenied', 'no']);
  await manager.load([{ name: a, content }]);
  await manager.start([a]);
  assert.deepEqual(programs, [`link ${join(directory, a)}`, `start ${a}`]);
});

test('a call that gets lost may have been carried out: it is not made again', async () => {
  bus.refusals.set(a, ['org.freedesktop.DBus.Error.NoReply', 'gone']);
  await assert.rejects(manager.restart([a]), { code: 'systemd-unreachable' });
  assert.deepEqual(programs, []);
});
