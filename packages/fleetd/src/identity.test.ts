import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { takeInheritedSockets } from './activation.js';
import { findPublicIp, readInstance, readMachineId } from './identity.js';
import { jobType, meansToLeave, ownUnit } from './stop-job.js';

let directory = '';
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fleetd-identity-'));
});
after(() => rm(directory, { recursive: true, force: true }));

async function fileWith(text: string): Promise<string> {
  const path = join(directory, 'file');
  await writeFile(path, text);
  return path;
}

test('the machine ID is systemd’s, without the newline', async () => {
  const id = '0123456789abcdef0123456789abcdef';
  assert.equal(await readMachineId(await fileWith(`${id}\n`)), id);
});

test('a machine without an ID is told what to do', async () => {
  for (const path of [await fileWith('\n'), join(directory, 'none')]) {
    await assert.rejects(readMachineId(path), { code: 'no-machine-id', hint: 'systemd-machine-id-setup makes one' });
  }
});

test('an installation keeps its identity', async () => {
  const state = join(directory, 'state');
  const first = await readInstance(state);
  assert.match(first, /^[0-9a-f-]{36}$/);
  assert.equal(await readInstance(state), first);
  assert.notEqual(await readInstance(join(directory, 'other')), first);
});

test('a state directory that can’t be used is an error of the configuration', async () => {
  const file = await fileWith('');
  await assert.rejects(readInstance(join(file, 'state')), { code: 'bad-config', message: /^state_directory: / });
});

test('the public address is that of the default route’s interface', async () => {
  const header = 'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n';
  const routes = await fileWith(
    `${header}eth1\t00000000\t0101A8C0\t0003\t0\t0\t200\t00000000\t0\t0\t0\neth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\neth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n`,
  );
  const entry = { netmask: '255.255.255.0', mac: '00:00:00:00:00:00', internal: false, cidr: null } as const;
  const interfaces = {
    eth0: [
      { ...entry, address: 'fe80::1', family: 'IPv6' as const, scopeid: 1 },
      { ...entry, address: '192.168.1.5', family: 'IPv4' as const },
    ],
    eth1: [{ ...entry, address: '192.168.1.6', family: 'IPv4' as const }],
  };
  assert.equal(await findPublicIp(routes, interfaces), '192.168.1.5');
  assert.equal(await findPublicIp(join(directory, 'none'), interfaces), '');
});

test('inherited sockets are taken once, and only by the process they were meant for', () => {
  const environment = { LISTEN_PID: '42', LISTEN_FDS: '2', LISTEN_FDNAMES: 'a:b', PATH: '/bin' };
  assert.deepEqual(takeInheritedSockets(environment, 42), [3, 4]);
  assert.deepEqual(environment, { PATH: '/bin' });
  assert.deepEqual(takeInheritedSockets({ LISTEN_PID: '41', LISTEN_FDS: '2' }, 42), []);
  assert.deepEqual(takeInheritedSockets({}, 42), []);
});

test('a service finds its own name in its control group', () => {
  assert.equal(ownUnit('0::/system.slice/fleet.service\n'), 'fleet.service');
  assert.equal(ownUnit('1:name=systemd:/machine/x/system.slice/fleet.service\n0::/\n'), 'fleet.service');
  assert.equal(ownUnit('0::/user.slice/session-1.scope\n'), undefined);
  const user = '/user.slice/user-1500.slice/user@1500.service';
  assert.equal(ownUnit(`8:pids:${user}\n1:name=systemd:${user}/app.slice/fleet.service\n`), 'fleet.service');
});

test('the type of a pending job tells a stop from a restart', () => {
  const jobs = '  12 fleet.service stop    running\n13 other.service restart waiting\n';
  assert.equal(jobType(jobs, 'fleet.service'), 'stop');
  assert.equal(jobType(jobs, 'other.service'), 'restart');
  assert.equal(jobType('', 'fleet.service'), undefined);
});

test('on_stop leave and stay need no question', async () => {
  assert.equal(await meansToLeave('leave', false), true);
  assert.equal(await meansToLeave('stay', false), false);
});
