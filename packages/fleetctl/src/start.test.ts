import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBench } from './testing/process.js';

const web = '# serves\n[Unit]\nDescription=web\n\n[Service]\nExecStart=/bin/sleep 100\n';
const other = '[Service]\nExecStart=/bin/sleep 200\n';
const oneshot = '[Service]\nType=oneshot\nExecStart=/bin/true\n';

test('start registers a file byte for byte and waits until it runs', async (context) => {
  const { api, fleetctl, write } = await openBench(context);
  await write('units/web.service', web);
  const { stdout, stderr, exitCode } = await fleetctl('start', 'units/web.service');
  assert.equal(stdout, 'Unit web.service launched on 22222222.../10.0.0.2\n');
  assert.equal(stderr, '');
  assert.equal(exitCode, 0);
  assert.equal(api.unit('web.service')?.file, web);
  assert.deepEqual(api.unit('web.service')?.options?.[0], { name: 'Description', section: 'Unit', value: 'web' });
  assert.equal(api.requests.filter((request) => request.startsWith('PUT')).length, 1);
});

test('a hundred instances of a template take one batch and few lists', async (context) => {
  const { api, fleetctl, write } = await openBench(context);
  await write('web@.service', web);
  await fleetctl('submit', 'web@.service');
  api.requests.length = 0;
  const { stdout, stderr, exitCode } = await fleetctl('start', 'web@{1..100}');
  assert.equal(stderr, '');
  assert.equal(exitCode, 0);
  assert.equal(stdout.trim().split('\n').length, 100);
  assert.equal(api.unit('web@100.service')?.currentState, 'launched');
  const [before, template, batch, ...looks] = api.requests;
  assert.deepEqual(
    [before, template, batch],
    ['GET units?limit=100', 'GET units/web%40.service', 'POST /fleet/v2/batch'],
  );
  // At most two looks, of two pages of units and one of states each, and the machines' addresses.
  assert.ok(looks.length <= 7, looks.join());
});

test('a server without batches gets a put for each unit', async (context) => {
  const { api, fleetctl, write } = await openBench(context);
  api.hasBatch = false;
  await write('web@.service', web);
  const { stdout, stderr, exitCode } = await fleetctl('start', 'web@{1..20}');
  assert.deepEqual([stderr, exitCode], ['', 0]);
  assert.equal(stdout.trim().split('\n').length, 20);
  assert.equal(api.requests.filter((request) => request.startsWith('POST')).length, 1);
  assert.equal(api.requests.filter((request) => request.startsWith('PUT')).length, 20);
});

test('a unit that the API refuses fails alone; a store that is away ends the command', async (context) => {
  const { api, fleetctl, write } = await openBench(context);
  await write('web@.service', web);
  api.refusals.set('web@2.service', [409, 'conflicting writers']);
  const { stdout, stderr, exitCode } = await fleetctl('start', 'web@{1..3}');
  assert.equal(stderr, 'Error creating units: web@2.service: conflicting writers\n');
  assert.match(stdout, /^(Unit web@[13].service launched on \S+\n){2}$/);
  assert.equal(exitCode, 1);
  api.refusals.set('web@2.service', [503, 'etcd is not reachable']);
  const away = await fleetctl('start', 'web@{1..3}');
  assert.match(away.stderr, /^Error: etcd is not reachable\nUnits run on meanwhile\. .*\n$/);
  assert.deepEqual([away.stdout, away.exitCode], ['', 1]);
});

test('a store without room ends the command, and is told once', async (context) => {
  const { api, fleetctl, write } = await openBench(context);
  await write('web@.service', web);
  for (const at of [1, 2, 3]) api.refusals.set(`web@${at}.service`, [507, 'etcd: its space quota is used up']);
  for (const verb of ['submit', 'start']) {
    const full = await fleetctl(verb, 'web@{1..3}');
    assert.deepEqual(full, { stdout: '', stderr: 'Error: etcd: its space quota is used up\n', exitCode: 1 });
  }
});

test('an instance is made from the template in the registry, and a local template that differs is warned about', async (context) => {
  const { api, fleetctl, write } = await openBench(context);
  api.add('web@.service', web);
  await write('web@.service', other);
  const { stderr, exitCode } = await fleetctl('start', 'web@1');
  assert.equal(
    stderr,
    'WARNING: Unit web@.service in registry differs from local template unit file web@.service. Add --replace to override.\n',
  );
  assert.equal(exitCode, 0);
  assert.equal(api.unit('web@1.service')?.file, web);
});

test('a file that differs is not taken without --replace, and is with it', async (context) => {
  const { api, fleetctl, write } = await openBench(context);
  api.add('web.service', web, 'launched');
  await write('web.service', other);
  const kept = await fleetctl('start', 'web.service');
  assert.match(
    kept.stderr,
    /^WARNING: Unit web.service in registry differs from local unit file web.service. Add --replace/,
  );
  assert.equal(kept.exitCode, 0);
  assert.equal(api.unit('web.service')?.file, web);
  const replaced = await fleetctl('start', '--replace', 'web.service');
  assert.equal(replaced.exitCode, 0);
  assert.match(replaced.stdout, /^Unit web.service launched on /);
  assert.equal(api.unit('web.service')?.file, other);
  const same = await fleetctl('start', '--replace', 'web.service');
  assert.match(same.stdout, /^Found same Unit\(web.service\) in Registry, nothing to do\nUnit web.service launched/);
});

test('a unit that fails is told at once, the others go on, and the exit code is 1', async (context) => {
  const { api, fleetctl, write } = await openBench(context);
  await write('bad.service', other);
  await write('web.service', web);
  api.tempers.set('bad.service', {
    started: [
      ['activating', 'start'],
      ['failed', 'failed'],
    ],
  });
  api.tempers.set('web.service', { delay: 12 });
  const { stdout, stderr, exitCode } = await fleetctl('start', '--block-attempts=0', 'bad', 'web');
  assert.match(stderr, /^Unit bad.service failed on \S+: systemd says failed \(failed\)\n$/);
  assert.match(stdout, /^Unit web.service launched on \S+\n$/);
  assert.equal(exitCode, 1);
});

test('what the agent says went wrong is shown', async (context) => {
  const { api, fleetctl, write } = await openBench(context);
  await write('web.service', web);
  api.tempers.set('web.service', { error: 'no space left on device', started: [['inactive', 'dead']] });
  const { stderr, exitCode } = await fleetctl('start', 'web');
  assert.match(stderr, /Unit web.service failed on 22222222...\/10.0.0.2: no space left on device/);
  assert.equal(exitCode, 1);
});

test('an old failure is not the answer to a new start', async (context) => {
  const { api, fleetctl } = await openBench(context);
  api.tempers.set('web.service', { started: [['failed', 'failed']] });
  api.add('web.service', web, 'launched');
  api.tempers.set('web.service', { delay: 6 });
  const { stdout, stderr, exitCode } = await fleetctl('start', 'web');
  assert.equal(stderr, '');
  assert.match(stdout, /^Unit web.service launched/);
  assert.equal(exitCode, 0);
});

test('a unit that runs already is not asked for again', async (context) => {
  const { api, fleetctl } = await openBench(context);
  api.add('web.service', web, 'launched');
  const { stdout, exitCode } = await fleetctl('start', 'web');
  assert.match(stdout, /^Unit web.service launched/);
  assert.equal(exitCode, 0);
  assert.ok(!api.requests.some((request) => request.startsWith('PUT')));
});

test('at the deadline each waiting unit says why, and the exit code is 2', async (context) => {
  const { api, fleetctl, write } = await openBench(context);
  await write('db.service', web);
  await write('slow.service', web);
  await write('web.service', web);
  api.tempers.set('db.service', { reason: '3 machines: 3 lack role=cache' });
  api.tempers.set('slow.service', { started: [['activating', 'auto-restart']] });
  const { stdout, stderr, exitCode } = await fleetctl('start', '--wait=300ms', 'db', 'slow', 'web');
  assert.match(stdout, /^Unit web.service launched/);
  const lines = stderr.trim().split('\n').sort();
  assert.equal(lines[0], 'Unit db.service is not launched after 0.3 s: 3 machines: 3 lack role=cache');
  assert.match(
    lines[1] ?? '',
    /^Unit slow.service is not launched after 0.3 s: on \S+ it is activating \(auto-restart\)$/,
  );
  assert.equal(exitCode, 2);
});

test('a oneshot unit is started when it has run, and while it runs', async (context) => {
  const { api, fleetctl, write } = await openBench(context);
  await write('quick.service', oneshot);
  await write('long.service', oneshot);
  api.tempers.set('quick.service', {
    started: [
      ['activating', 'start'],
      ['activating', 'start'],
      ['inactive', 'dead'],
    ],
  });
  api.tempers.set('long.service', { started: [['activating', 'start']] });
  const { stdout, exitCode } = await fleetctl('start', 'quick', 'long');
  assert.match(stdout, /Unit quick.service launched/);
  assert.match(stdout, /Unit long.service launched/);
  assert.equal(exitCode, 0);
});

test('--no-block asks and returns; a global unit is never waited for', async (context) => {
  const { api, fleetctl, write } = await openBench(context);
  await write('web.service', web);
  await write('agent.service', `${web}\n[X-Fleet]\nGlobal=true\n`);
  api.tempers.set('web.service', { delay: 1000 });
  const triggered = await fleetctl('start', '--no-block', 'web');
  assert.deepEqual(triggered, { stdout: 'Triggered unit web.service start\n', stderr: '', exitCode: 0 });
  const global = await fleetctl('start', 'agent');
  assert.deepEqual(global, { stdout: 'Triggered global unit agent.service start\n', stderr: '', exitCode: 0 });
});

test('an unknown unit, a template and a bad file fail alone, with file, line and option', async (context) => {
  const { api, fleetctl, write } = await openBench(context);
  await write('t@.service', web);
  await write('bad.service', '[Service]\nExecStart\n');
  await write('worse.service', `${web}\n[X-Fleet]\nGlobl=true\n`);
  await write('web.service', web);
  const { stdout, stderr, exitCode } = await fleetctl('start', 'absent', 't@.service', 'bad', 'worse', 'web');
  assert.match(stderr, /unable to find Unit\(absent.service\) in Registry or on filesystem \(\/\S+\/absent.service\)/);
  assert.match(stderr, /cannot start template t@.service; start an instance of it, like t@1.service/);
  assert.match(stderr, /Error creating units: bad.service:2: \[Service\]/);
  assert.match(stderr, /Error creating units: worse.service:9: \[X-Fleet\] Globl=/);
  assert.match(stdout, /^Unit web.service launched/);
  assert.equal(exitCode, 1);
  assert.equal(api.unit('worse.service'), undefined);
});

test('an instance that makes no sense is not sent; the line of its template is named', async (context) => {
  const { api, fleetctl, write } = await openBench(context);
  await write(
    'units/web@.service',
    `${web}[X-Fleet]\nSpreadOver=az\nMachineMetadata=slot=%i\nMachineMetadata=slot!=2\n`,
  );
  const { stdout, stderr, exitCode } = await fleetctl('start', 'units/web@1', 'units/web@2');
  assert.equal(
    stderr,
    "Error creating units: web@2.service: units/web@.service:10: [X-Fleet] MachineMetadata= can't be fulfilled: no machine " +
      'passes both "slot=2" and "slot!=2"\n',
  );
  assert.match(stdout, /^Unit web@1.service launched on \S+\n$/);
  assert.equal(exitCode, 1);
  assert.equal(api.unit('web@2.service'), undefined);
});

test('a daemon that is away for a moment is waited for', async (context) => {
  const { api, fleetctl, spawn } = await openBench(context);
  api.tempers.set('web.service', { delay: 6 });
  api.add('web.service', web);
  const child = spawn(['start', '--debug', 'web']);
  let stdout = '';
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    if (text.includes('PUT')) api.absences = 3;
  });
  const exitCode = await new Promise((resolve) => child.on('close', resolve));
  assert.match(stdout, /^Unit web.service launched/);
  assert.equal(exitCode, 0);
  const { stderr } = await fleetctl('start', '--debug', 'web');
  assert.match(stderr, /debug: GET \/fleet\/v1\/units\/web.service 200/);
});
