import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertExplained, assertHelpful } from './testing/explaining.js';
import { runWords } from './testing/in-process.js';
import { quietHost } from './testing/memory-directories.js';
import { machines } from './testing/memory-machines.js';
import { openBench } from './testing/process.js';

const [{ id: one } = { id: '' }, { id: two } = { id: '' }] = machines;
const gone = '9999aaaa'.padEnd(32, '0');
const service = '[Service]\nExecStart=/bin/sleep 100\n';

async function openHarbour(context: Parameters<typeof openBench>[0]) {
  const bench = await openBench(context);
  const fleetctl = (...words: readonly string[]) => runWords(words, { FLEETCTL_ENDPOINT: bench.api.endpoint });
  return { ...bench, fleetctl, directories: bench.api.directories };
}

type Harbour = Awaited<ReturnType<typeof openHarbour>>;

const held = {
  why: 'most-gone',
  digest: 'd',
  since: 1,
  units: ['a.service', 'b.service', 'e.service', 'g.service'],
  count: 4,
} as const;

/** A directory that holds units back on one host; another host has one of them, and one is somebody else's by now. */
async function hold({ api, fleetctl, directories }: Harbour): Promise<void> {
  for (const name of ['a.service', 'b.service', 'e.service']) api.add(name, service, 'launched');
  api.add('g.service', `${service}[X-Fleet]\nGlobal=true\n`, 'launched');
  directories.add('local', [quietHost(one, { units: 4, held }), quietHost(two, { units: 1 })], {
    'a.service': [one],
    'b.service': [one, two],
    'c.service': [two],
    'e.service': [one],
    'g.service': [one],
  });
  await fleetctl('adopt', '--owner=local', 'a', 'b', 'g');
}

test('confirm says what becomes of each unit and where, and waits until it is done', async (context) => {
  const harbour = await openHarbour(context);
  await hold(harbour);
  const { stdout, stderr, exitCode } = await harbour.fleetctl('dirs', 'confirm', 'local');
  const a = harbour.api.unit('a.service')?.machineID?.slice(0, 8);
  assert.deepEqual(stdout.replace(/(\.\.\.)\/[\d.]+/g, '$1').split('\n'), [
    `${one.slice(0, 8)}... gives up 4 units of local: more than half of its files are gone at once`,
    '  kept, as other hosts have them, 1: b.service',
    '  kept, as they do not belong to local, 1: e.service',
    `  destroyed on ${a}..., 1: a.service`,
    '  destroyed on all machines, 1: g.service',
    '',
  ]);
  assert.equal(stderr, `local on ${one.slice(0, 8)}... goes on\n`);
  assert.equal(exitCode, 0);
  assert.deepEqual(harbour.directories.orders, ['confirm local']);
});

test('a dry run of confirm only prints', async (context) => {
  const harbour = await openHarbour(context);
  await hold(harbour);
  const { stdout, exitCode } = await harbour.fleetctl('dirs', 'confirm', 'local', '--dry-run');
  assert.match(stdout, /destroyed on all machines, 1: g.service/);
  assert.deepEqual([exitCode, harbour.directories.orders], [0, []]);
});

test('a host that holds back still when the wait is over is told; one that is lost is not waited for', async (context) => {
  const harbour = await openHarbour(context);
  await hold(harbour);
  harbour.directories.delay = undefined;
  const late = await harbour.fleetctl('dirs', 'confirm', 'local', '--wait=0');
  assert.match(late.stderr, /^local on 1111\S+ still holds back after 0 s; its fleetd's log tells why$/m);
  assert.equal(late.exitCode, 2);
  assert.equal((await harbour.fleetctl('dirs', 'confirm', 'local', '--no-block')).exitCode, 0);
  harbour.directories.directories.length = 0;
  harbour.directories.add('local', [quietHost(gone, { units: 3, held: { ...held, count: 200 }, isLost: true })], {
    'b.service': [gone],
  });
  const lost = await harbour.fleetctl('dirs', 'confirm', 'local');
  assert.match(
    lost.stdout,
    /^9999aaaa\.\.\. gives up 200 units .*; it is not in the cluster, and goes on when it is back$/m,
  );
  assert.match(
    lost.stdout,
    /^ {2}destroyed on 3333\S+, 1: b\.service\n {2}destroyed or kept in the same way: 196 more$/m,
  );
  assert.deepEqual([lost.stderr, lost.exitCode], ['', 0]);
});

test('what is held back anew after a confirmation is told', async (context) => {
  const harbour = await openHarbour(context);
  await hold(harbour);
  harbour.directories.heldThen = { ...held, digest: 'e' };
  const { stderr, exitCode } = await harbour.fleetctl('dirs', 'confirm', 'local');
  assert.match(stderr, /goes on; it holds back others by now, see `fleetctl dirs`\n$/);
  assert.equal(exitCode, 0);
});

test('a directory that is not there, or holds nothing back, is an error', async (context) => {
  const { fleetctl, directories } = await openHarbour(context);
  directories.add('local', [quietHost(one, { units: 3 })]);
  for (const [name, message] of [
    ['lokal', 'Error: there is no directory "lokal": did you mean local?\n'],
    ['local', 'Error: local holds nothing back\n'],
  ] as const) {
    const { stdout, stderr, exitCode } = await fleetctl('dirs', 'confirm', name);
    assert.deepEqual([stdout, stderr, exitCode], ['', message, 1]);
  }
});

test('a host that is lost is forgotten, and what that does is printed; a dry run only prints', async (context) => {
  const { fleetctl, directories } = await openHarbour(context);
  directories.add('local', [quietHost(gone, { units: 3, isLost: true }), quietHost(one, { units: 1 })], {
    'a.service': [gone],
    'b.service': [gone, one],
    'c.service': [gone],
  });
  const dry = await fleetctl('dirs', 'forget', '9999', '--dry-run');
  assert.deepEqual(dry.stdout.split('\n'), [
    `Machine ${gone} would be forgotten in local: 2 units would be destroyed, 1 kept, as other hosts have them`,
    '  would be destroyed: a.service c.service',
    '',
  ]);
  const done = await fleetctl('dirs', 'forget', '9999aaaa...');
  assert.deepEqual(done.stdout.split('\n'), [
    `Machine ${gone} is forgotten in local: 2 units destroyed, 1 kept, as other hosts have them`,
    '  destroyed: a.service c.service',
    '',
  ]);
  assert.deepEqual([done.stderr, done.exitCode], ['', 0]);
  assert.deepEqual(directories.orders, [`forget ${gone} dry`, `forget ${gone}`]);
  const json = await fleetctl('dirs', 'forget', gone, '-o', 'json');
  assert.deepEqual(JSON.parse(json.stdout).directories[0].destroyed, ['a.service', 'c.service']);
});

test('a host that is in the cluster, unknown or meant twice is not forgotten', async (context) => {
  const { fleetctl, directories } = await openHarbour(context);
  directories.add('local', [
    quietHost(one, { units: 1 }),
    quietHost(gone, { units: 1, isLost: true }),
    quietHost('9'.repeat(32), { units: 1, isLost: true }),
    quietHost('apply', { units: 1, path: '' }),
  ]);
  for (const [id, message] of [
    [
      one,
      `Error: machine ${one} is in the cluster\nRemove the files there, or take the directory out of unit_dirs in its fleet.conf.\n`,
    ],
    ['9', 'Error: 2 machines with a directory have an ID that begins with 9\n'],
    ['7', 'Error: no machine with a directory has an ID that begins with 7\n'],
    ['apply', 'Error: no machine with a directory has an ID that begins with apply\n'],
  ] as const) {
    const { stdout, stderr, exitCode } = await fleetctl('dirs', 'forget', id);
    assert.deepEqual([stdout, stderr, exitCode], ['', message, 1]);
  }
  assert.deepEqual(directories.orders, []);
});

test('units are taken from a directory, and given to one, by name and by pattern', async (context) => {
  const { api, fleetctl, directories } = await openHarbour(context);
  for (const name of ['web.service', 'web@.service', 'web@1.service']) api.add(name, service);
  directories.add('local', [quietHost(one, { units: 1 })]);
  const given = await fleetctl('adopt', '--owner', 'local', 'web.service', 'web@*');
  assert.equal(
    given.stdout,
    ['web.service', 'web@.service', 'web@1.service'].map((name) => `Unit ${name} belongs to local now\n`).join(''),
  );
  assert.deepEqual([given.stderr, given.exitCode], ['', 0]);
  const again = await fleetctl('adopt', '--owner=local', 'web');
  assert.equal(again.stdout, 'Unit web.service belonged to local already\n');
  const taken = await fleetctl('adopt', 'web');
  assert.equal(taken.stdout, 'Unit web.service belongs to no directory now, no longer to local\n');
  assert.equal((await fleetctl('adopt', 'web')).stdout, 'Unit web.service belonged to no directory\n');
  const fresh = await fleetctl('adopt', '--owner', 'fresh', 'web@1');
  assert.equal(fresh.stderr, 'Warning: no host has a directory fresh so far.\n');
  assert.equal(fresh.stdout, 'Unit web@1.service belongs to fresh now, no longer to local\n');
  const list = await fleetctl('list-unit-files', '--fields=unit,owner', '--no-legend');
  assert.equal(list.stdout, 'web.service\t-\nweb@.service\tlocal\nweb@1.service\tfresh\n');
  const own = await fleetctl('list-unit-files', '--owner=local', '-o', 'json');
  assert.deepEqual(
    JSON.parse(own.stdout).map(({ name, owner }: { name: string; owner: string }) => [name, owner]),
    [['web@.service', 'local']],
  );
});

test('a unit that another directory has a file of, too, says so where its owner is shown', async (context) => {
  const { api, fleetctl, directories } = await openHarbour(context);
  for (const name of ['db.service', 'web.service']) api.add(name, service);
  await fleetctl('adopt', '--owner', 'local', 'web');
  const conflicts = [{ unit: 'db.service' }, { unit: 'web.service', owner: 'local' }];
  directories.add('git', [quietHost(one, { units: 0, conflicts }), quietHost(two, { units: 0, conflicts })]);
  directories.add('shop', [quietHost(two, { units: 0, conflicts: conflicts.slice(1) })]);
  const list = () => fleetctl('list-unit-files', '--fields=unit,owner', '--no-legend');
  assert.equal((await list()).stdout, 'db.service\t- (also in git)\nweb.service\tlocal (also in git) (also in shop)\n');
  directories.isKnown = false;
  assert.equal((await list()).stdout, 'db.service\t-\nweb.service\tlocal\n');
});

test('a unit that is not there does not keep the others', async (context) => {
  const { api, fleetctl } = await openHarbour(context);
  api.add('web.service', service);
  const { stdout, stderr, exitCode } = await fleetctl('adopt', 'absent', 'nosuch*', 'web');
  assert.equal(stdout, 'Unit web.service belonged to no directory\n');
  assert.equal(stderr, 'no unit in the registry matches nosuch*.service\nUnit absent.service does not exist.\n');
  assert.equal(exitCode, 1);
});

test('a server that is too old for owners is told apart from one without the unit', async (context) => {
  const { api, fleetctl } = await openHarbour(context);
  api.add('web.service', service);
  api.directories.isKnown = false;
  const { stderr, exitCode } = await fleetctl('adopt', 'web');
  assert.match(stderr, /^Error adopting unit web\.service: .*older than this fleetctl/);
  assert.equal(exitCode, 1);
});

test('lines that make no sense are explained, and each command explains itself', async (context) => {
  const bench = await openBench(context);
  await assertExplained(bench, [
    [['dirs', 'confirm'], /Name one directory/],
    [['dirs', 'confirm', 'a', 'b'], /Name one directory/],
    [['dirs', 'forget'], /Name one machine/],
    [['adopt'], /No units given/],
    [['adopt', '--owner', '-x', 'web'], /not a name for an owner: "-x"/],
    [['dirs', '--fields=nosuch'], /Invalid key/],
  ]);
  await assertHelpful(bench, ['dirs', 'dirs confirm', 'dirs forget', 'adopt']);
  const { stdout } = await bench.fleetctl('help', 'dirs');
  assert.match(stdout, /\nCOMMANDS:\n {2}confirm [\s\S]*\n {2}forget /);
});
