import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { runWords } from './testing/in-process.js';
import { quietHost } from './testing/memory-directories.js';
import { ended, openBench } from './testing/process.js';

const one = '4c3f8a1e'.padEnd(32, '0');
const two = '8f2d1c6a'.padEnd(32, '0');
const gone = '9999aaaa'.padEnd(32, '0');

async function openHarbour(context: Parameters<typeof openBench>[0]) {
  const bench = await openBench(context);
  const fleetctl = (...words: readonly string[]) => runWords(words, { FLEETCTL_ENDPOINT: bench.api.endpoint });
  return { ...bench, fleetctl, directories: bench.api.directories };
}

const at = Date.parse('2026-11-23T08:00:00Z');

test('each host of a directory has a row, and apply one like a host', async (context) => {
  const { fleetctl, directories } = await openHarbour(context);
  const lastChange = { at: 0, created: 2, changed: 1, removed: 1, units: ['a.service', 'b.service', 'c.service'] };
  directories.add('local', [
    quietHost(one, { units: 2, address: '10.0.0.1', lastChange }),
    quietHost(two, { units: 1 }),
  ]);
  directories.add('stack', [quietHost('apply', { units: 5, path: '' })]);
  const { stdout, stderr, exitCode } = await fleetctl('dirs');
  assert.deepEqual(
    stdout.split('\n').map((line) => line.split(/\t+/)),
    [
      ['DIRECTORY', 'HOST', 'PATH', 'UNITS', 'STATE', 'CHANGED'],
      ['local', '4c3f8a1e.../10.0.0.1', '/etc/fleet/units', '2', 'ok', stdout.match(/\d+ d ago: .*/)?.[0]],
      ['local', '8f2d1c6a...', '/etc/fleet/units', '1', 'ok', '-'],
      ['stack', 'apply', '-', '5', 'ok', '-'],
      [''],
    ],
  );
  assert.match(stdout, /\d+ d ago: 2 created, 1 changed, 1 removed \(a\.service b\.service c\.service \+1\)\n/);
  assert.deepEqual([stderr, exitCode], ['', 0]);
});

test('what is wrong is counted in the table, and told with what to do below it', async (context) => {
  const { fleetctl, directories } = await openHarbour(context);
  const problems = [
    { source: 'all.units', line: 12, message: '[Service] what=ever makes no sense' },
    { source: 'x.service', message: 'can not be read' },
  ];
  const conflicts = [{ unit: 'db.service' }, { unit: 'web.service', owner: 'stack' }];
  const held = { why: 'most-gone', digest: 'd', since: at, units: ['a.service', 'b.service'], count: 2 } as const;
  directories.add(
    'local',
    [
      quietHost(one, { units: 4, problems, conflicts }),
      quietHost(two, { units: 3, problems: problems.slice(0, 1), held }),
      quietHost(gone, { units: 1, isLost: true }),
    ],
    { 'c.service': [one, `${two}!`], 'd.service': [gone] },
  );
  const { stdout, stderr, exitCode } = await fleetctl('dirs', '--fields=host,state');
  assert.deepEqual(stdout.split('\n').slice(1), [
    '4c3f8a1e...\terrors=2,conflicts=2',
    '8f2d1c6a...\theld=2,errors=1,behind=1',
    '9999aaaa...\tlost',
    '',
  ]);
  const told = stderr.replace(/\(\d+ \w+\)/, '(5 min)').split('\n');
  assert.deepEqual(told, [
    'Errors in local; what is wrong changes nothing, what ran before runs on:',
    '  /etc/fleet/units/all.units:12: [Service] what=ever makes no sense (4c3f8a1e... 8f2d1c6a...)',
    '  /etc/fleet/units/x.service: can not be read (4c3f8a1e...)',
    'Conflicts in local, whose files of these units count for nothing:',
    '  db.service belongs to no directory (4c3f8a1e...)',
    '  web.service belongs to the directory stack (4c3f8a1e...)',
    '  Remove the files, or give local the units: fleetctl adopt --owner local db.service web.service',
    'Held back in local on 8f2d1c6a... since 2026-11-23 08:00:00 UTC (5 min): more than half of its files are gone at once',
    '  2 units without a file: a.service b.service',
    '  It is over when the files are back. If they are meant to go: fleetctl dirs confirm local',
    '9999aaaa... is not in the cluster; what it had in local stays, 1 unit. If it does not come back: fleetctl dirs forget 9999aaaa',
    'Files of local on 8f2d1c6a... that are not what the cluster runs: c.service',
    '  They count when they are changed. `fleetctl cat` shows what runs.',
    '',
  ]);
  assert.equal(exitCode, 0);
  assert.equal((await fleetctl('dirs', '--check', '-o', 'name')).exitCode, 2);
});

test('a host that gives a directory up is not said to lack files', async (context) => {
  const { fleetctl, directories } = await openHarbour(context);
  const held = { why: 'not-configured', digest: 'd', since: at, units: ['a.service'], count: 1 } as const;
  directories.add('local', [quietHost(one, { units: 1, held })]);
  const { stderr } = await fleetctl('dirs');
  assert.match(
    stderr,
    /unit_dirs of the host does not name it any more\n {2}1 unit: a\.service\n {2}It is over when it names it again/,
  );
});

test('a directory that is missing is said to be, and long lists are counted', async (context) => {
  const { fleetctl, directories } = await openHarbour(context);
  const conflicts = Array.from({ length: 30 }, (_, index) => ({ unit: `u${index}.service` }));
  directories.add('local', [
    quietHost(one, { units: 3, isThere: false }),
    quietHost(two, { units: 0, conflicts, conflictCount: 300 }),
  ]);
  const { stdout, stderr } = await fleetctl('dirs', '-o', 'wide', '--no-legend');
  assert.deepEqual(
    stdout.split('\n').map((line) => line.split(/\t+/).slice(3)),
    [['3', '0', '0', '0', '0', 'missing', '-'], ['0', '0', '300', '0', '0', 'conflicts=300', '-'], []],
  );
  assert.match(stderr, /\.\.\. and 280 more conflicts\n {2}Remove .*adopt --owner local UNIT\.\.\.\n/);
});

test('a host that has gone and left nothing is not shown, nor are many that have no file', async (context) => {
  const { fleetctl, directories } = await openHarbour(context);
  const idle = Array.from({ length: 9 }, (_, index) => quietHost(`${index}`.repeat(32), { units: 0 }));
  directories.add('local', [
    quietHost(gone, { units: 0, isLost: true }),
    quietHost(one, { units: 1 }),
    ...idle.slice(1),
  ]);
  const list = (...flags: readonly string[]) => fleetctl('dirs', '--no-legend', '--fields=units', ...flags);
  assert.equal((await list('--check')).stdout, '1\n0\n0\n0\n0\n0\n0\n0\n0\n');
  directories.directories.length = 0;
  directories.add('local', [quietHost(one, { units: 1 }), ...idle]);
  const { stdout, stderr, exitCode } = await list('--check');
  assert.equal(stdout, '1\n');
  assert.equal(stderr, '9 more hosts have the directory local and no file in it; --full shows them\n');
  assert.equal(exitCode, 0);
  assert.equal((await list('--full')).stdout.split('\n').length, 11);
});

test('a name shows where the file of each unit is', async (context) => {
  const { fleetctl, directories } = await openHarbour(context);
  directories.add('local', [quietHost(one, { units: 1, address: '10.0.0.1' }), quietHost(two, { units: 1 })], {
    'a.service': [one, `${two}!`],
    'b.service': [gone],
  });
  directories.add('other', [quietHost(one, { units: 0 })]);
  const { stdout, exitCode } = await fleetctl('dirs', 'local', '--fields=host');
  assert.deepEqual(stdout.split('\n'), [
    'HOST',
    '4c3f8a1e.../10.0.0.1',
    '8f2d1c6a...',
    '',
    'DIRECTORY\tUNIT\t\tFILE\t\tHOSTS',
    'local\t\ta.service\ta.service\t4c3f8a1e.../10.0.0.1 8f2d1c6a...(behind)',
    'local\t\tb.service\tb.service\t9999aaaa...',
    '',
  ]);
  assert.equal(exitCode, 0);
});

test('JSON and YAML are as the API gives them, with the units if a name is given; a name is a directory', async (context) => {
  const { api, fleetctl, directories } = await openHarbour(context);
  directories.add('local', [quietHost(one, { units: 1 }), quietHost(two, { units: 1 })], { 'a.service': [one, two] });
  const [first] = directories.directories;
  const json = await fleetctl('dirs', '-o', 'json');
  assert.deepEqual(JSON.parse(json.stdout), { directories: [{ name: 'local', hosts: first?.hosts }] });
  assert.deepEqual(api.requests, ['GET /fleet/v2/dirs']);
  assert.deepEqual(parse((await fleetctl('dirs', 'local', '-o', 'yaml')).stdout), { directories: [first] });
  assert.equal((await fleetctl('dirs', '-o', 'name')).stdout, 'local\n');
});

test('no directory at all: how to begin; one that is not there: which may be meant', async (context) => {
  const { fleetctl, directories } = await openHarbour(context);
  const none = await fleetctl('dirs');
  assert.match(
    none.stderr,
    /No host watches a directory.*\n.*unit_dirs = local:\/etc\/fleet\/units .*systemctl reload/,
  );
  assert.equal(none.exitCode, 0);
  directories.add('local', [quietHost(one, { units: 1 })]);
  for (const [name, advice] of [
    ['lokal', 'did you mean local?'],
    ['confrim', 'did you mean confirm?'],
    ['elsewhere', 'there are local'],
  ] as const) {
    const { stderr, exitCode } = await fleetctl('dirs', name);
    assert.deepEqual([stderr, exitCode], [`Error: there is no directory "${name}": ${advice}\n`, 1]);
  }
});

test('a watched list repeats a row only if it has changed: no ages there', async (context) => {
  const { spawn, directories } = await openHarbour(context);
  const lastChange = { at, created: 1, changed: 0, removed: 0, units: ['a.service'] };
  directories.add('local', [quietHost(one, { units: 1, lastChange })]);
  const child = spawn(['dirs', '--watch=100ms', '--no-legend', '--fields=directory,changed']);
  child.stdout?.once('data', () => {
    directories.add('stack', [quietHost('apply', { units: 1 })]);
    child.stdout?.once('data', () => child.kill('SIGINT'));
  });
  const { stdout } = await ended(child);
  assert.equal(stdout, 'local\t2026-11-23T08:00:00.000Z: 1 created (a.service)\nstack\t-\n');
});
