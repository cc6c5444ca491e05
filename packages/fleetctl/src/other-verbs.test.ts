import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBench } from './testing/process.js';

const web = '# serves\n[Service]\nExecStart=/bin/sleep 100\n';
const other = '[Service]\nExecStart=/bin/sleep 200\n';

test('what looks like an option or a section and is none is told of when a unit is made, once a file', async (context) => {
  const { fleetctl, write } = await openBench(context);
  await write('web@.service', '[Service]\nExecStart=/bin/true\n[X-fleet]\nGlobal=true\n');
  const { stderr, exitCode } = await fleetctl('submit', 'web@1', 'web@2');
  assert.equal(stderr, 'Warning: web@.service:4: [X-fleet] is ignored; did you mean [X-Fleet]?\n');
  assert.equal(exitCode, 0);
});

test('submit registers, cat gives the bytes back', async (context) => {
  const { api, fleetctl, write } = await openBench(context);
  await write('web@.service', web);
  await write('one.service', other);
  const submitted = await fleetctl('submit', 'web@.service', 'one.service');
  assert.equal(submitted.exitCode, 0);
  assert.deepEqual(submitted.stdout.trim().split('\n').sort(), [
    'Unit one.service inactive',
    'Unit web@.service inactive',
  ]);
  assert.equal(api.unit('web@.service')?.desiredState, 'inactive');
  assert.deepEqual(await fleetctl('cat', 'web@.service'), { stdout: web, stderr: '', exitCode: 0 });
  const absent = await fleetctl('cat', 'absent');
  assert.deepEqual(absent, { stdout: '', stderr: 'Unit absent.service not found\n', exitCode: 1 });
});

test('cat gives any bytes back, of templates and global units too, of one at a time', async (context) => {
  const { fleetctl, write } = await openBench(context);
  const text = '# grüße\r\n[Service]\r\nExecStart=/bin/a \\\n  -x\n\n[X-Fleet]\nGlobal=true\n\n# no newline';
  await write('agent@.service', text);
  assert.equal((await fleetctl('submit', 'agent@.service', 'agent@1')).exitCode, 0);
  for (const unit of ['agent@', 'agent@1.service']) assert.equal((await fleetctl('cat', unit)).stdout, text);
  for (const words of [['agent@1', 'agent@1'], ['agent@*'], ['agent@{1..2}']])
    assert.equal((await fleetctl('cat', ...words)).exitCode, 64, words.join(' '));
});

test('submit --replace leaves a unit alone that runs', async (context) => {
  const { api, fleetctl, write } = await openBench(context);
  api.add('web.service', web, 'launched');
  await write('web.service', other);
  const { stderr, exitCode } = await fleetctl('submit', '--replace', 'web.service');
  const warning = "Warning: can not replace Unit(web.service) in state 'launched', use the appropriate command\n";
  const advice = 'It stays launched with its old content; fleetctl start --replace web.service replaces it.\n';
  assert.equal(stderr, warning + advice);
  assert.equal(exitCode, 0);
  assert.equal(api.unit('web.service')?.file, web);
});

test('load places without starting, and leaves a launched unit alone', async (context) => {
  const { api, fleetctl, write } = await openBench(context);
  await write('web.service', web);
  api.add('db.service', web, 'launched');
  const { stdout, stderr, exitCode } = await fleetctl('load', 'web', 'db');
  assert.match(stdout, /^Unit web.service loaded on \S+\n$/);
  assert.match(stderr, /^Unit db.service is launched already and stays so/);
  assert.equal(exitCode, 0);
  assert.equal(api.unit('db.service')?.desiredState, 'launched');
});

test('stop takes patterns, waits until nothing runs, and tells of each', async (context) => {
  const { api, fleetctl } = await openBench(context);
  api.add('web@.service', web);
  for (const instance of [1, 2, 3]) api.add(`web@${instance}.service`, web, 'launched');
  api.add('db.service', web, 'launched');
  api.requests.length = 0;
  const { stdout, stderr, exitCode } = await fleetctl('stop', 'web@*');
  assert.equal(stderr, '');
  assert.deepEqual(
    api.requests.filter((request) => !request.startsWith('GET')),
    ['POST /fleet/v2/batch'],
  );
  assert.match(stdout, /^(Unit web@\d.service loaded on \S+\n){3}/);
  assert.match(stdout, /Successfully stopped units \[web@1.service web@2.service web@3.service\].\n$/);
  assert.equal(exitCode, 0);
  assert.equal(api.unit('db.service')?.desiredState, 'launched');
  assert.equal(api.states('web@1.service')[0]?.systemdActiveState, 'inactive');
});

test('stop reaches a unit that is launched but placed nowhere', async (context) => {
  const { api, fleetctl } = await openBench(context);
  api.tempers.set('web.service', { reason: 'no machine' });
  api.add('web.service', web, 'launched');
  const { stdout, exitCode } = await fleetctl('stop', 'web');
  assert.match(stdout, /^Unit web.service inactive\n/);
  assert.equal(exitCode, 0);
  assert.equal(api.unit('web.service')?.desiredState, 'loaded');
});

test('stop of units that are inactive or unknown is an error, each its own', async (context) => {
  const { api, fleetctl } = await openBench(context);
  api.add('idle.service', web);
  api.add('web.service', web, 'launched');
  const { stdout, stderr, exitCode } = await fleetctl('stop', 'idle', 'absent', 'web', 'x*');
  assert.match(stderr, /Unable to stop unit idle.service in state inactive\n/);
  assert.match(stderr, /Unit absent.service does not exist.\n/);
  assert.match(stderr, /no unit in the registry matches x\*.service\n/);
  assert.match(stdout, /Successfully stopped units \[web.service\].\n$/);
  assert.equal(exitCode, 1);
});

test('unload takes a unit off its machine, also one that is placed nowhere', async (context) => {
  const { api, fleetctl } = await openBench(context);
  api.add('web.service', web, 'launched');
  api.tempers.set('db.service', { reason: 'no machine' });
  api.add('db.service', web, 'launched');
  const { stdout, exitCode } = await fleetctl('unload', 'web', 'db');
  assert.match(stdout, /Unit web.service inactive\n/);
  assert.match(stdout, /Unit db.service inactive\n/);
  assert.match(stdout, /Successfully unloaded units \[web.service db.service\].\n$/);
  assert.equal(exitCode, 0);
  assert.deepEqual(api.states('web.service'), []);
});

test('destroy waits until no machine has the unit', async (context) => {
  const { api, fleetctl } = await openBench(context);
  api.tempers.set('web.service', { delay: 5 });
  api.add('web.service', web, 'launched');
  const { stdout, stderr, exitCode } = await fleetctl('destroy', 'web');
  assert.deepEqual({ stdout, stderr, exitCode }, { stdout: 'Destroyed web.service\n', stderr: '', exitCode: 0 });
  assert.deepEqual(api.states('web.service'), []);
  const again = await fleetctl('destroy', 'web');
  assert.deepEqual(again, { stdout: '', stderr: 'Unit web.service does not exist.\n', exitCode: 1 });
});

test('many units are destroyed by one batch, and each that is unknown is told', async (context) => {
  const { api, fleetctl } = await openBench(context);
  for (let index = 1; index <= 100; index++) api.add(`web@${index}.service`, web, 'launched');
  api.requests.length = 0;
  const { stdout, stderr, exitCode } = await fleetctl('destroy', 'web@{1..101}');
  assert.equal(stderr, 'Unit web@101.service does not exist.\n');
  assert.equal(exitCode, 1);
  assert.equal(stdout.trim().split('\n').length, 100);
  assert.equal(api.unit('web@100.service'), undefined);
  const [batch, ...looks] = api.requests;
  assert.equal(batch, 'POST /fleet/v2/batch');
  assert.ok(looks.length <= 6, looks.join());
});

test('destroy says at its deadline where the unit still is', async (context) => {
  const { api, fleetctl } = await openBench(context);
  api.tempers.set('web.service', { delay: 19 });
  api.add('web.service', web, 'launched');
  const { stderr, exitCode } = await fleetctl('destroy', '--wait=0', 'web');
  assert.equal(stderr, 'Unit web.service is not gone after 0 s: it is still active (running) on 22222222...\n');
  assert.equal(exitCode, 2);
});

test('many units in a large cluster are asked for one by one, not by walking it', async (context) => {
  const { api, fleetctl } = await openBench(context);
  api.pageSize = 5;
  for (let index = 100; index < 200; index++) api.add(`web@${index}.service`, web, 'launched');
  api.requests.length = 0;
  const { stdout, exitCode } = await fleetctl('stop', 'web@{190..199}');
  assert.equal(exitCode, 0);
  assert.match(stdout, /Successfully stopped units \[web@190.service/);
  const walks = api.requests.filter((request) => /^GET units(\?|$)/.test(request)).length;
  assert.ok(walks <= 4, `${walks} pages of units were read`);
});
