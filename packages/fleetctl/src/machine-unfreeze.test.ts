import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UnfreezeAnswer, UnfreezeEffectEntity } from '@flotilla/schema';
import { assertExplained, assertHelpful } from './testing/explaining.js';
import { type FrozenState, machines } from './testing/memory-machines.js';
import { openBench } from './testing/process.js';

const [one = '', two = '', three = ''] = machines.map(({ id }) => id);
const why = 'the store has no cluster record any more';
const effects: readonly UnfreezeEffectEntity[] = [
  { effect: 'stopped', name: 'a.service', why: 'the store has it inactive' },
  { effect: 'written-back', name: 'b.service', why: 'the store does not have it' },
  { effect: 'stopped', name: 'c.service', why: 'the store has it inactive' },
];
const frozen = (delay?: number): FrozenState => ({ why, effects, ...(delay !== undefined && { delay }) });

test('what becomes of each unit is printed, then the machines go on', async (context) => {
  const { api, fleetctl } = await openBench(context);
  api.frozen.set(one, frozen(2));
  api.frozen.set(three, { why, effects: [], delay: 1 });
  const { stdout, stderr, exitCode } = await fleetctl('machine', 'unfreeze', '--all', '--adopt');
  assert.equal(
    stdout,
    [
      `Machine ${one}/10.0.0.1 is frozen: ${why}`,
      '  written back into the store, and stays as it is (the store does not have it), 1: b.service',
      '  stopped here (the store has it inactive), 2: a.service c.service',
      `Machine ${three} is frozen: ${why}`,
      '  it has no units',
      '',
    ].join('\n'),
  );
  assert.deepEqual(stderr.split('\n').sort(), [
    '',
    'Machine 11111111.../10.0.0.1 goes on',
    'Machine 33333333... goes on',
  ]);
  assert.equal(exitCode, 0);
  assert.deepEqual(api.orders, [`adopt ${one}`, `adopt ${three}`]);
});

test('one machine, by the beginning of its ID or as list-machines shows it', async (context) => {
  const { api, fleetctl } = await openBench(context);
  for (const id of ['2', '22222222...', two]) {
    api.frozen.set(two, frozen(0));
    assert.equal((await fleetctl('machine', 'unfreeze', id, id, '--discard')).exitCode, 0);
  }
  assert.deepEqual(api.orders, Array(3).fill(`discard ${two}`));
});

test('a dry run prints and tells nobody; JSON is what the API answers', async (context) => {
  const { api, fleetctl } = await openBench(context);
  api.frozen.set(one, frozen());
  const { stdout, exitCode } = await fleetctl('machine', 'unfreeze', '--all', '--discard', '--dry-run', '-o', 'json');
  assert.equal(exitCode, 0);
  assert.deepEqual(JSON.parse(stdout) as UnfreezeAnswer[], [
    { frozen: why, how: 'discard', machineID: one, units: effects },
  ]);
  assert.deepEqual(api.orders, []);
});

test('the wait ends with 2 when a machine stays frozen, and is not begun with --no-block', async (context) => {
  const { api, fleetctl } = await openBench(context);
  api.frozen.set(one, frozen());
  const waited = await fleetctl('machine', 'unfreeze', '--all', '--adopt', '--wait=200ms');
  assert.equal(waited.exitCode, 2);
  assert.match(waited.stderr, /^Machine 11111111.* is still frozen after 0.2 s/);
  assert.equal((await fleetctl('machine', 'unfreeze', '--all', '--adopt', '--no-block')).exitCode, 0);
});

test('a machine that is unknown, not frozen, or meant twice is an error, and then nobody is told', async (context) => {
  const { api, fleetctl } = await openBench(context);
  api.frozen.set(one, frozen(0));
  for (const [id, message] of [
    ['4', /no machine has an ID that begins with 4/],
    ['2', new RegExp(`machine ${two} is not frozen`)],
    ['...', /no machine/],
  ] as const) {
    const { stderr, exitCode } = await fleetctl('machine', 'unfreeze', '1', id, '--adopt');
    assert.equal(exitCode, 1);
    assert.match(stderr, message);
  }
  assert.deepEqual(api.orders, []);
  assert.equal(api.frozen.size, 1);
});

test('a machine that can not say what it has keeps no other one frozen', async (context) => {
  const { api, fleetctl } = await openBench(context);
  api.frozen.set(one, { ...frozen(0), isSilent: true });
  api.frozen.set(two, frozen(0));
  const { stdout, stderr, exitCode } = await fleetctl('machine', 'unfreeze', '--all', '--adopt', '--wait=1s');
  assert.equal(exitCode, 1);
  assert.match(stderr, /^Machine 11111111.* was not told: machine has yet to look/);
  assert.match(stdout, /^Machine 2/);
  assert.deepEqual(api.orders, [`adopt ${two}`]);
});

test('with --all and no frozen machine there is nothing to do', async (context) => {
  const { fleetctl } = await openBench(context);
  const ended = await fleetctl('machine', 'unfreeze', '--all', '--adopt');
  assert.deepEqual(ended, { stdout: '', stderr: 'No machine is frozen.\n', exitCode: 0 });
});

const mistakes = [
  [['machine'], /'machine' needs a command/],
  [['machine', 'unfrez'], /Did you mean unfreeze/],
  [['machine', 'unfreeze', '--all'], /'fleetctl machine unfreeze --help'/],
  [['machine', 'unfreeze', '--all', '--adopt', '--discard'], /--adopt or --discard/],
  [['machine', 'unfreeze', '--adopt'], /Name machines, or say --all/],
  [['machine', 'unfreeze', '1', '--all', '--adopt'], /Name machines, or say --all/],
] as const;

test('a wrong line is explained, does nothing, and exits with 64', async (context) =>
  assertExplained(await openBench(context), mistakes));

test('the command explains itself with examples', async (context) =>
  assertHelpful(await openBench(context), ['machine unfreeze']));
