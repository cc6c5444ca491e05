import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LossEntity } from '@flotilla/schema';
import { machines } from './testing/memory-machines.js';
import { openBench } from './testing/process.js';

const [four, five, six] = ['4', '5', '6'].map((digit) => digit.repeat(16) + 'd'.repeat(16));
const losses: readonly LossEntity[] = [
  { machineID: four ?? '', primaryIP: '10.0.0.4', since: 1, state: 'brake', units: 2 },
  { machineID: five ?? '', since: 1, state: 'brake', units: 1 },
  { machineID: six ?? '', since: 1, state: 'lost', units: 7 },
];

test('what is held back is released by the beginning of its ID, or all of it', async (context) => {
  const { api, fleetctl } = await openBench(context);
  api.losses = losses;
  const one = await fleetctl('machine', 'release', '5', '55555555...');
  assert.deepEqual(one, {
    stdout: `Machine ${five} is lost: 1 unit to be placed elsewhere\n`,
    stderr: '',
    exitCode: 0,
  });
  const all = await fleetctl('machine', 'release', '--all');
  assert.match(
    all.stdout,
    new RegExp(`^Machine ${four}/10.0.0.4 is lost: 2 units .*\nMachine ${five} is lost: 1 unit `),
  );
  assert.equal(all.exitCode, 0);
  assert.deepEqual(
    api.orders,
    [five, four, five].map((id) => `release ${id}`),
  );
});

test('one that is lost already is forgotten, if it is named', async (context) => {
  const { api, fleetctl } = await openBench(context);
  api.losses = losses;
  const { stdout, exitCode } = await fleetctl('machine', 'release', '6');
  assert.deepEqual([stdout, exitCode], [`Machine ${six} is forgotten\n`, 0]);
  assert.deepEqual(api.orders, [`release ${six}`]);
});

test('a dry run prints and tells nobody', async (context) => {
  const { api, fleetctl } = await openBench(context);
  api.losses = losses;
  const { stdout, exitCode } = await fleetctl('machine', 'release', '--all', '--dry-run');
  assert.equal(exitCode, 0);
  assert.match(stdout, /^Machine 4\S+ would be lost: 2 units .*\nMachine 5\S+ would be lost: 1 unit .*\n$/);
  const json = await fleetctl('machine', 'release', '--all', '--dry-run', '-o', 'json');
  assert.deepEqual(JSON.parse(json.stdout), losses.slice(0, 2));
  assert.deepEqual(api.orders, []);
});

test('a machine that is unknown, alive or meant twice is an error, and then nobody is told', async (context) => {
  const { api, fleetctl } = await openBench(context);
  api.losses = [...losses, { machineID: '5'.repeat(32), since: 1, state: 'rate', units: 0 }];
  for (const [id, message] of [
    ['9', /no machine has an ID that begins with 9/],
    ['1', new RegExp(`machine ${machines[0]?.id} is alive`)],
    ['5', /2 machines have an ID that begins with 5/],
  ] as const) {
    const { stderr, exitCode } = await fleetctl('machine', 'release', '4', id);
    assert.equal(exitCode, 1);
    assert.match(stderr, message);
  }
  assert.deepEqual(api.orders, []);
});

test('a machine that is back, and still noted as gone, is alive', async (context) => {
  const { api, fleetctl } = await openBench(context);
  api.losses = [{ machineID: machines[0]?.id ?? '', since: 1, state: 'grace', units: 1 }];
  assert.equal((await fleetctl('list-machines')).stderr, '');
  assert.match((await fleetctl('machine', 'release', '1')).stderr, /is alive$/m);
  assert.equal((await fleetctl('machine', 'limit', '1', '5')).exitCode, 0);
});

test('a machine that is not released keeps no other one', async (context) => {
  const { api, fleetctl } = await openBench(context);
  api.losses = losses;
  api.refusals.set(four ?? '', [409, 'machine is alive']);
  const { stderr, exitCode } = await fleetctl('machine', 'release', '--all');
  assert.equal(exitCode, 1);
  assert.equal(stderr, 'Machine 44444444.../10.0.0.4 was not released: machine is alive\n');
  assert.deepEqual(api.orders, [`release ${five}`]);
});

test('without IDs and without --all, or with both, nothing is asked; where nothing is held back, nothing is done', async (context) => {
  const { api, fleetctl } = await openBench(context);
  for (const words of [[], ['4', '--all']]) {
    const { stderr, exitCode } = await fleetctl('machine', 'release', ...words);
    assert.equal(exitCode, 64);
    assert.match(stderr, /Name machines, or say --all/);
  }
  assert.deepEqual(api.requests, []);
  const ended = await fleetctl('machine', 'release', '--all');
  assert.deepEqual(ended, { stdout: '', stderr: 'No machine is held back.\n', exitCode: 0 });
});

test('list-machines says below the table which machines are gone, why they keep their units, and what to do', async (context) => {
  const { api, fleetctl } = await openBench(context);
  const { stdout } = await fleetctl('list-machines');
  const grace = Array.from({ length: 10 }, (_, digit): LossEntity => {
    return { machineID: `7${digit}`.repeat(16), since: 1, state: 'grace', units: 1 };
  });
  api.losses = [...losses, ...grace, { machineID: '8'.repeat(32), since: 1, state: 'rate', units: 4 }];
  const told = await fleetctl('list-machines');
  assert.equal(told.stdout, stdout);
  const lines = told.stderr.split('\n');
  assert.match(lines[0] ?? '', /nothing is moved: 44444444...\/10.0.0.4 55555555..., with 3 units$/);
  assert.match(lines[1] ?? '', /fleetctl machine release/);
  assert.match(lines[2] ?? '', /waited for: 70707070... (\S+ ){7}2 more, with 10 units$/);
  assert.match(lines[3] ?? '', /one machine after the other: 88888888..., with 4 units$/);
  const json = await fleetctl('list-machines', '-o', 'json');
  assert.deepEqual(JSON.parse(json.stdout).losses, api.losses);
  api.losses = losses.slice(2);
  assert.equal((await fleetctl('list-machines')).stderr, '');
});
