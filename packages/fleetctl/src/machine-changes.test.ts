import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertExplained, assertHelpful } from './testing/explaining.js';
import { machines } from './testing/memory-machines.js';
import { openBench } from './testing/process.js';

const [one = '', two = ''] = machines.map(({ id }) => id);
const absent = '4444444444444444dddddddddddddddd';

test('metadata is set on the machine that is named by the beginning of its ID, and shown by list-machines', async (context) => {
  const { fleetctl } = await openBench(context);
  assert.deepEqual(await fleetctl('machine', 'metadata', 'set', '2', 'role=web', 'opts=a=b'), {
    stdout: 'Machine 22222222.../10.0.0.2 has opts=a=b,role=web\n',
    stderr: '',
    exitCode: 0,
  });
  const { stdout } = await fleetctl('list-machines', '--no-legend', '--full', '--fields', 'machine,metadata');
  assert.match(stdout, new RegExp(`^${one}\\tdisk=ssd,role=db\n${two}\\topts=a=b,role=web\n`));
});

test('a key of the machine itself is hidden, and the way back is told', async (context) => {
  const { fleetctl } = await openBench(context);
  await fleetctl('machine', 'metadata', 'set', one, 'rack=7');
  const unset = await fleetctl('machine', 'metadata', 'unset', '11111111...', 'role', 'rack');
  assert.equal(unset.stdout, 'Machine 11111111.../10.0.0.1 has disk=ssd\n');
  assert.equal(
    unset.stderr,
    "role is in the machine's own configuration, and hidden now; to bring it back: fleetctl machine metadata unset --reset 11111111 role\n",
  );
  const reset = await fleetctl('machine', 'metadata', 'unset', '--reset', '11111111', 'role');
  assert.deepEqual(reset, {
    stdout: 'Machine 11111111.../10.0.0.1 has disk=ssd,role=db\n',
    stderr: '',
    exitCode: 0,
  });
});

test('a whole ID also names a machine that is not there', async (context) => {
  const { fleetctl } = await openBench(context);
  const note = `Machine ${absent} is not there now; this is kept until it is\n`;
  assert.deepEqual(await fleetctl('machine', 'metadata', 'set', absent, 'role=web'), {
    stdout: '',
    stderr: note,
    exitCode: 0,
  });
  const { stderr } = await fleetctl('machine', 'metadata', 'unset', absent, 'role');
  assert.match(stderr, /role will be hidden if the machine's own configuration has it/);
  const limit = await fleetctl('machine', 'limit', absent, '3');
  assert.deepEqual(limit, { stdout: 'Machine 44444444... takes 3 units\n', stderr: note, exitCode: 0 });
});

test('a limit is set, shown, and taken back', async (context) => {
  const { api, fleetctl } = await openBench(context);
  const limit = async (count: string) => (await fleetctl('machine', 'limit', '1', count)).stdout;
  assert.equal(await limit('1'), 'Machine 11111111.../10.0.0.1 takes 1 unit\n');
  const { stdout } = await fleetctl('list-machines', '--no-legend', '--fields', 'limit');
  assert.equal(stdout, '1\n-\n-\n');
  assert.equal(await limit('none'), 'Machine 11111111.../10.0.0.1 takes any number of units\n');
  api.settings.set.set('max_units', '9');
  assert.equal(await limit('none'), 'Machine 11111111.../10.0.0.1 takes 9 units, as the setting max_units says\n');
});

test('JSON is what the API answers', async (context) => {
  const { fleetctl } = await openBench(context);
  const set = await fleetctl('machine', 'metadata', 'set', '-o', 'json', '3', 'a=b');
  assert.deepEqual(JSON.parse(set.stdout), { machineID: machines[2]?.id, metadata: { a: 'b' } });
  const limit = await fleetctl('machine', 'limit', '3', '5', '-o', 'json');
  assert.deepEqual(JSON.parse(limit.stdout), { machineID: machines[2]?.id, maxUnits: 5, source: 'api' });
});

test('a machine that nobody knows is an error, and then nothing is changed', async (context) => {
  const { api, fleetctl } = await openBench(context);
  for (const words of [
    ['metadata', 'set', '4', 'a=b'],
    ['metadata', 'unset', '4', 'a'],
    ['limit', '4', '5'],
  ]) {
    const { stdout, stderr, exitCode } = await fleetctl('machine', ...words);
    assert.deepEqual([stdout, exitCode], ['', 1]);
    assert.match(stderr, /^Error: no machine has an ID that begins with 4\n/);
  }
  assert.deepEqual(new Set(api.requests), new Set(['GET machines']));
});

const mistakes = [
  [['machine', 'metadata'], /'machine metadata' needs a command/],
  [['machine', 'metadata', 'add'], /unknown command 'add'/],
  [['machine', 'metadata', 'set', '1'], /MACHINE KEY=VALUE[\s\S]*'fleetctl machine metadata set --help'/],
  [['machine', 'metadata', 'set', '1', 'role'], /"role" is not KEY=VALUE/],
  [['machine', 'metadata', 'set', '1', 'role='], /role has no value[\s\S]*machine metadata unset/],
  [['machine', 'metadata', 'unset', '1'], /MACHINE KEY/],
  [['machine', 'metadata', 'unset', '1', 'a=b'], /"a=b" is not a KEY/],
  [['machine', 'limit', '1'], /MACHINE \(N\|none\)/],
  [['machine', 'limit', '1', '0'], /"0" is no limit/],
  [['machine', 'limit', '1', '2', '3'], /MACHINE \(N\|none\)/],
] as const;

test('a wrong line is explained, does nothing, and exits with 64', async (context) =>
  assertExplained(await openBench(context), mistakes));

test('the commands explain themselves with examples', async (context) =>
  assertHelpful(await openBench(context), ['machine metadata set', 'machine metadata unset', 'machine limit']));
