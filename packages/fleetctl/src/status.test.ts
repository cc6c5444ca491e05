import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { isOwnEndpoint } from './endpoint-choice.js';
import { createLocalHost, type LocalHost } from './local-host.js';
import { folderOf, runWords } from './testing/in-process.js';
import { MemoryApi } from './testing/memory-api.js';
import { machines } from './testing/memory-machines.js';

const web = '[Unit]\nDescription=web server\n[Service]\nExecStart=/bin/sleep 100\n';
const global = `${web}[X-Fleet]\nGlobal=true\n`;
const [one, two, three] = machines.map(({ id }) => id);

type Test = Parameters<typeof folderOf>[0];

/** An API with units on three machines, and fleetctl on a host with this machine ID, whose systemctl exits with these. */
async function openCluster(context: Test, hostId?: string, ...exits: (number | Error)[]) {
  const api = await MemoryApi.open();
  context.after(() => api.close());
  const calls: (readonly string[])[] = [];
  const host: LocalHost = {
    findMachineId: async () => hostId,
    systemctl: async (words) => {
      calls.push(words);
      return exits.shift() ?? 0;
    },
  };
  const fleetctl = (...words: readonly string[]) => runWords(words, { FLEETCTL_ENDPOINT: api.endpoint }, { host });
  return { api, calls, fleetctl };
}

test('a unit on another machine is shown in the words of systemctl, which is not asked', async (context) => {
  const { api, calls, fleetctl } = await openCluster(context, one);
  api.add('web.service', web, 'launched');
  const { stdout, stderr, exitCode } = await fleetctl('status', '--no-block', '--ssh-port=22', 'web');
  assert.match(
    stdout,
    /^web.service - web server\n {5}Loaded: loaded\n {5}Active: active \(running\) since Tue 2023-11-14 \S+ UTC; \d+ days ago\n {4}Machine: 22222222.{3}\/10.0.0.2\n {6}Asked: launched\n$/,
  );
  assert.deepEqual([stderr, exitCode, calls], ['', 0, []]);
});

test('a unit on this host is shown by systemctl, whose exit status counts', async (context) => {
  const { api, calls, fleetctl } = await openCluster(context, two, 0, 3, 4, new Error('spawn systemctl ENOENT'));
  api.add('web.service', web, 'launched');
  assert.deepEqual(await fleetctl('status', 'web'), { stdout: '', stderr: '', exitCode: 0 });
  assert.deepEqual(calls, [['status', '-l', '--', 'web.service']]);
  assert.equal((await fleetctl('status', 'web')).exitCode, 3);
  assert.equal((await fleetctl('status', 'web')).exitCode, 4);
  const unable = await fleetctl('status', 'web');
  const stderr = 'Error running local command: spawn systemctl ENOENT\n';
  assert.deepEqual(unable, { stdout: '', stderr, exitCode: 255 });
});

test('what only fleetd knows of a unit on this host comes before what systemctl says', async (context) => {
  const { api, calls, fleetctl } = await openCluster(context, two, 3);
  api.tempers.set('bad.service', { started: [['failed', 'failed']], error: 'no space left on device' });
  api.add('bad.service', web, 'launched');
  const { stdout, exitCode } = await fleetctl('status', 'bad');
  assert.equal(stdout, 'bad.service - web server\n      Error: no space left on device\n');
  assert.deepEqual([exitCode, calls.length], [3, 1]);
});

test('a copy that goes on as it is until its turn says so', async (context) => {
  const { api, fleetctl } = await openCluster(context, two, 0);
  api.tempers.set('web.service', { waitsFor: 'turn' });
  api.add('web.service', web, 'launched');
  const { stdout } = await fleetctl('status', 'web');
  assert.match(stdout, / {6}Waits: for its turn to be replaced: .*\(Update=rolling\)\n/);
  assert.match((await fleetctl('list-units', '-o', 'wide')).stdout, /\tturn\t-\n/);
});

test('a global unit is shown on each machine, on this host by systemctl', async (context) => {
  const { api, calls, fleetctl } = await openCluster(context, two);
  api.add('agent.service', global, 'launched');
  const { stdout, exitCode } = await fleetctl('status', 'agent');
  const blocks = stdout.split('\n\n');
  assert.equal(blocks.length, 3);
  assert.equal(blocks[1], 'On 22222222.../10.0.0.2, this host:');
  assert.match(blocks[2] ?? '', new RegExp(`Machine: ${three?.slice(0, 8)}\\.{3}\n`));
  assert.equal(stdout.match(/Active: active \(running\)/g)?.length, 2);
  assert.deepEqual([exitCode, calls.length], [0, 1]);
});

test('of several units, one empty line stands between each two, and the worst decides', async (context) => {
  const { api, fleetctl } = await openCluster(context);
  api.add('web.service', web, 'launched');
  api.add('idle.service', web);
  api.add('still.service', web, 'loaded');
  api.tempers.set('db.service', { reason: '3 machines: 3 lack role=cache' });
  api.add('db.service', web, 'launched');
  const both = await fleetctl('status', 'web', 'still');
  assert.match(both.stdout, /^web.service.*\n( .*\n)+\nstill.service.*\n( .*\n)+$/);
  assert.match(both.stdout, /Active: inactive \(dead\)/);
  assert.equal(both.exitCode, 3);
  const all = await fleetctl('status', 'absent', 'idle', 'web', 'x*');
  assert.match(all.stdout, /^web.service/);
  assert.equal(
    all.stderr,
    'no unit in the registry matches x*.service\nUnit absent.service does not exist.\nUnit idle.service does not appear to be loaded.\n',
  );
  assert.equal(all.exitCode, 1);
  const waiting = await fleetctl('status', 'still', 'db');
  assert.match(
    waiting.stdout,
    /\n\ndb.service - web server\n {6}Asked: launched\n {6}Waits: since 2026-11-22 12:00:00 UTC \(.*\): 3 machines: 3 lack role=cache\n {13}fleetctl explain db.service shows each machine\n$/,
  );
  assert.equal(waiting.exitCode, 2);
  const json = await fleetctl('status', '-o', 'json', 'web', 'absent');
  assert.equal(JSON.parse(json.stdout)[0].unit.name, 'web.service');
  assert.deepEqual([json.stderr, json.exitCode], ['Unit absent.service does not exist.\n', 1]);
});

test('the title is the description of the instance', async (context) => {
  const { api, fleetctl } = await openCluster(context);
  api.add('web@2.service', '[Unit]\nDescription=Worker %i of 100%\n[Service]\nExecStart=/bin/a\n', 'launched');
  assert.match((await fleetctl('status', 'web@2')).stdout, /^web@2.service - Worker 2 of 100%\n/);
  api.add('bare.service', '[Service]\nExecStart=/bin/a\n', 'launched');
  assert.match((await fleetctl('status', 'bare')).stdout, /^bare.service\n/);
});

test('without a unit, status shows how the cluster fares', async (context) => {
  const { api, fleetctl } = await openCluster(context);
  api.add('agent.service', global, 'launched');
  api.tempers.set('bad.service', { started: [['failed', 'failed']], error: 'no space left on device' });
  api.add('bad.service', web, 'launched');
  api.tempers.set('db.service', { reason: '3 machines: 3 lack role=cache' });
  api.add('db.service', web, 'launched');
  const { stdout, exitCode } = await fleetctl('status');
  assert.equal(
    stdout,
    [
      'Machines: 3 alive, 0 frozen, 0 gone',
      '   Units: 3 launched, 0 loaded, 0 inactive',
      '  Failed: bad.service on 33333333...: failed: no space left on device',
      '   Waits: db.service: 3 machines: 3 lack role=cache',
      '',
    ].join('\n'),
  );
  assert.equal(exitCode, 0);
  const json = JSON.parse((await fleetctl('status', '-o', 'json')).stdout);
  assert.deepEqual(json.waiting, [{ name: 'db.service', reason: '3 machines: 3 lack role=cache' }]);
});

test('the local host runs a program with the words as they are, of the user if that is meant', async (context) => {
  const folder = await folderOf(context, { 'machine-id': `${one}\n` });
  const program = join(folder, 'systemctl');
  await writeFile(program, '#!/bin/sh\n[ "$*" = "--user status -l -- a b" ] && exit 3\nkill -TERM $$\n');
  await chmod(program, 0o755);
  const machineIdPath = join(folder, 'machine-id');
  const host = createLocalHost({ isUser: true, machineIdPath, program });
  assert.equal(await host.findMachineId(), one);
  assert.equal(await host.systemctl(['status', '-l', '--', 'a b']), 3);
  assert.equal(await createLocalHost({ isUser: false, program }).systemctl([]), 143);
  const none = createLocalHost({ isUser: false, machineIdPath: join(folder, 'none'), program: join(folder, 'none') });
  assert.equal(await none.findMachineId(), undefined);
  assert.match(String(await none.systemctl([])), /ENOENT/);
});

test("the user's own fleetd is known by its socket", () => {
  const environment = { XDG_RUNTIME_DIR: '/run/user/1000' };
  assert.equal(isOwnEndpoint('unix:///run/user/1000/fleet.sock', environment), true);
  assert.equal(isOwnEndpoint('unix:///var/run/fleet.sock', environment), false);
  assert.equal(isOwnEndpoint('unix:///var/run/fleet.sock', {}), false);
});
