import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertHelpful } from './testing/explaining.js';
import { machines } from './testing/memory-machines.js';
import { type Bench, ended, openBench } from './testing/process.js';

const web = '[Service]\nExecStart=/bin/sleep 100\n';
const global = `${web}[X-Fleet]\nGlobal=true\n`;
const [first, second, third] = machines.map(({ id }) => id);

async function open(context: Parameters<typeof openBench>[0]): Promise<Bench> {
  const bench = await openBench(context);
  const { api } = bench;
  api.add('web@.service', web);
  for (const instance of [1, 2, 3]) api.add(`web@${instance}.service`, web, 'launched');
  api.add('db.service', web, 'launched');
  api.add('off.service', web, 'loaded');
  api.add('idle.service', web);
  api.add('all.service', global, 'launched');
  return bench;
}

test('units are restarted, and started if they are stopped', async (context) => {
  const { api, fleetctl } = await open(context);
  const since = api.states('db.service')[0]?.since ?? 0;
  const { stdout, stderr, exitCode } = await fleetctl('restart', 'db', 'off');
  assert.equal(stderr, '');
  assert.match(stdout, /^(Unit (db|off).service launched on \S+\n){2}$/);
  assert.equal(exitCode, 0);
  assert.deepEqual(api.orders, ['restart db.service', 'restart off.service']);
  assert.ok((api.states('db.service')[0]?.since ?? 0) > since);
  assert.equal(api.unit('off.service')?.desiredState, 'launched');
});

test('what runs is not taken for what is to run: the order has to be carried out', async (context) => {
  const { api, fleetctl } = await open(context);
  api.tempers.set('db.service', { delay: 1_000 });
  const { stdout, stderr, exitCode } = await fleetctl('restart', '--wait=100ms', 'db');
  assert.equal(stdout, '');
  assert.match(stderr, /^Unit db.service is not launched after 0.1 s: on \S+ it has not been restarted yet\n$/);
  assert.equal(exitCode, 2);
});

test('a unit that fails at its restart is told as failed', async (context) => {
  const { api, fleetctl } = await open(context);
  api.tempers.set('db.service', { started: [['failed', 'failed']] });
  const { stderr, exitCode } = await fleetctl('restart', 'db');
  assert.match(stderr, /^Unit db.service failed on \S+: systemd says failed \(failed\)\n$/);
  assert.equal(exitCode, 1);
});

test('instances of a template go one after the other', async (context) => {
  const { api, fleetctl } = await open(context);
  const { stdout, exitCode } = await fleetctl('restart', 'web@{3..1}');
  assert.match(
    stdout,
    /^Unit web@3\S+ launched on \S+\nUnit web@2\S+ launched on \S+\nUnit web@1\S+ launched on \S+\n$/,
  );
  assert.equal(exitCode, 0);
  const sinces = [3, 2, 1].map((instance) => api.states(`web@${instance}.service`)[0]?.since ?? 0);
  assert.deepEqual(
    sinces,
    [...sinces].sort((a, b) => a - b),
  );
  const seen = api.requests.flatMap((request) => /^(POST|GET state).*%40(\d)/.exec(request)?.slice(1).join(' ') ?? []);
  const [second, third] = [seen.indexOf('POST 2'), seen.indexOf('POST 1')];
  assert.ok(seen.slice(0, second).includes('GET state 3'), 'each is seen before the next is asked for');
  assert.ok(seen.slice(second, third).includes('GET state 2'));
});

test('when an instance fails, those after it are left alone, and told', async (context) => {
  const { api, fleetctl } = await open(context);
  api.tempers.set('web@2.service', { started: [['failed', 'failed']] });
  const { stdout, stderr, exitCode } = await fleetctl('restart', 'web@*', 'db');
  assert.match(stdout, /Unit web@1.service launched/);
  assert.match(stdout, /Unit db.service launched/);
  assert.match(stderr, /Unit web@2.service failed on /);
  assert.match(stderr, /Unit web@3.service is left alone: web@2.service failed\n/);
  assert.equal(exitCode, 1);
  assert.ok(!api.orders.includes('restart web@3.service'));
});

test('when an instance takes too long, those after it are left alone, and the exit code is that of a wait', async (context) => {
  const { api, fleetctl } = await open(context);
  api.tempers.set('web@1.service', { delay: 1_000 });
  const { stderr, exitCode } = await fleetctl('restart', '--wait=0', 'web@{1..2}');
  assert.match(stderr, /Unit web@2.service is left alone: web@1.service is not there yet\n/);
  assert.equal(exitCode, 2);
  assert.deepEqual(api.orders, ['restart web@1.service']);
});

test('when an instance fails a moment after its restart, the next but one is not asked for', async (context) => {
  const { api, fleetctl } = await open(context);
  const up = ['active', 'running'] as const;
  api.tempers.set('web@1.service', { started: [up, up, ['failed', 'failed']] });
  const { stdout, stderr, exitCode } = await fleetctl('restart', 'web@*');
  assert.match(stdout, /^Unit web@1.service launched on \S+\n/);
  assert.match(stderr, /Unit web@1.service failed after it had been restarted\n/);
  assert.match(stderr, /Unit web@3.service is left alone: web@1.service failed\n/);
  assert.equal(exitCode, 1);
  assert.ok(!api.orders.includes('restart web@3.service'));
});

test('when the API fails in the midst, those after it are told as left alone', async (context) => {
  const { api, fleetctl } = await open(context);
  api.refusals.set('web@2.service', [503, 'no etcd']);
  const { stderr, exitCode } = await fleetctl('restart', 'web@*');
  assert.match(stderr, /Unit web@3.service is left alone: web@2.service failed\n/);
  assert.match(stderr, /no etcd/);
  assert.equal(exitCode, 1);
  assert.ok(!api.orders.includes('restart web@3.service'));
});

test('Ctrl-C in the midst says what was not asked for', async (context) => {
  const { api, spawn } = await open(context);
  api.tempers.set('web@1.service', { delay: 1_000_000 });
  const child = spawn(['restart', 'web@*']);
  const end = ended(child);
  while (api.orders.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const asked = api.requests.length;
  // Listened to once it waits.
  while (api.requests.length < asked + 2) await new Promise((resolve) => setImmediate(resolve));
  child.kill('SIGINT');
  const { stderr, exitCode } = await end;
  assert.match(stderr, /^Not restarted, and left alone: web@2.service, web@3.service\n/);
  assert.match(stderr, /web@1.service is not launched yet. What was asked for stands/);
  assert.equal(exitCode, 130);
});

test('names of machines are read once', async (context) => {
  const { api, fleetctl } = await open(context);
  await fleetctl('restart', 'web@*');
  assert.equal(api.requests.filter((request) => request === 'GET machines').length, 1);
});

test('a fleetd that knows no restarts is told of as too old', async (context) => {
  const { api, fleetctl } = await open(context);
  api.refusals.set('db.service', [404, '']);
  const { stderr, exitCode } = await fleetctl('restart', 'db');
  assert.match(
    stderr,
    /^Error restarting unit db.service: .*does not know this request: it is older than this fleetctl/,
  );
  assert.equal(exitCode, 1);
});

test('a global unit goes machine after machine, or only on those that are named', async (context) => {
  const { api, fleetctl } = await open(context);
  const all = await fleetctl('restart', 'all');
  assert.equal(all.stderr, '');
  assert.match(all.stdout, /^(Unit all.service launched on \S+\n){3}$/);
  assert.equal(all.exitCode, 0);
  assert.deepEqual(
    api.orders,
    [first, second, third].map((id) => `restart all.service ${id}`),
  );
  api.orders.length = 0;
  const some = await fleetctl('restart', '--machine=3', '--machine', '1111', 'all.service');
  assert.equal(some.exitCode, 0);
  assert.deepEqual(
    api.orders,
    [first, third].map((id) => `restart all.service ${id}`),
  );
});

test('machines that are unclear, or do not have the unit, are errors', async (context) => {
  const { api, fleetctl } = await open(context);
  const unclear = await fleetctl('restart', '--machine=4', 'all');
  assert.match(unclear.stderr, /no machine has an ID that begins with 4;/);
  assert.equal(unclear.exitCode, 1);
  const own = api.unit('db.service')?.machineID ?? '';
  const other = machines.find(({ id }) => id !== own)?.id ?? '';
  const elsewhere = await fleetctl('restart', `--machine=${other}`, 'db');
  assert.match(elsewhere.stderr, /^Unit db.service is not on that machine, but on /);
  assert.deepEqual(api.orders, []);
  assert.equal((await fleetctl('restart', `--machine=${own}`, 'db')).exitCode, 0);
  assert.deepEqual(api.orders, [`restart db.service ${own}`]);
});

test('without waiting all orders are given at once', async (context) => {
  const { api, fleetctl } = await open(context);
  const { stdout, stderr, exitCode } = await fleetctl('restart', '--no-block', 'web@{1..2}', 'all');
  assert.deepEqual(stdout.trim().split('\n').sort(), [
    'Triggered global unit all.service restart',
    'Triggered unit web@1.service restart',
    'Triggered unit web@2.service restart',
  ]);
  assert.equal(stderr, '');
  assert.equal(exitCode, 0);
  assert.deepEqual([...api.orders].sort(), ['restart all.service', 'restart web@1.service', 'restart web@2.service']);
});

test('what can not be restarted is an error of its own; the others go on', async (context) => {
  const { api, fleetctl } = await open(context);
  api.refusals.set('off.service', [409, 'unit is being changed by others: try again']);
  const { stdout, stderr, exitCode } = await fleetctl('restart', 'idle', './x.service', 'web@', 'off', 'y*', 'db');
  assert.match(
    stderr,
    /Unable to restart unit idle.service in state inactive\nfleetctl start idle.service starts it\n/,
  );
  assert.match(stderr, /Unit x.service is not registered; fleetctl start .\/x.service registers and starts it\n/);
  assert.match(stderr, /template web@.service does not run/);
  assert.match(stderr, /Error restarting unit off.service: .*being changed by others/);
  assert.match(stderr, /no unit in the registry matches y\*.service\n/);
  assert.match(stdout, /^Unit db.service launched on \S+\n$/);
  assert.equal(exitCode, 1);
});

test('a pattern leaves out what can not be restarted', async (context) => {
  const { api, fleetctl } = await open(context);
  assert.equal((await fleetctl('restart', '*d*')).exitCode, 0);
  assert.deepEqual(api.orders, ['restart db.service']);
});

test('what somebody has started on its host is stopped before it is started', async (context) => {
  const { api, fleetctl } = await open(context);
  api.startByHand('off.service');
  const { stdout, exitCode } = await fleetctl('restart', 'off');
  assert.match(stdout, /^Unit off.service loaded on \S+\nUnit off.service launched on \S+\n$/);
  assert.equal(exitCode, 0);
});

test('a frozen machine is the reason why nothing happens', async (context) => {
  const { api, fleetctl } = await open(context);
  api.tempers.set('db.service', { delay: 1_000 });
  const machineID = api.unit('db.service')?.machineID ?? '';
  api.frozen.set(machineID, { why: 'the store is another one', effects: [] });
  const { stderr, exitCode } = await fleetctl('restart', '--wait=0', 'db');
  assert.match(stderr, /Machine \S+ is frozen, and starts nothing: the store is another one\n/);
  assert.equal(exitCode, 2);
});

test('stop stops what somebody has started, and leaves the rest', async (context) => {
  const { api, fleetctl } = await open(context);
  api.startByHand('off.service');
  const { stdout, stderr, exitCode } = await fleetctl('stop', 'off');
  assert.deepEqual({ stderr, exitCode }, { stderr: '', exitCode: 0 });
  assert.match(stdout, /Successfully stopped units \[off.service\].\n$/);
  api.requests.length = 0;
  assert.equal((await fleetctl('stop', 'off')).exitCode, 0);
  assert.ok(!api.requests.some((request) => !request.startsWith('GET')), 'nothing is asked for twice');
});

test('the command explains itself with examples', async (context) =>
  assertHelpful(await openBench(context), ['restart']));
