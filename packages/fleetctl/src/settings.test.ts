import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SettingsAnswer } from '@flotilla/schema';
import { assertExplained, assertHelpful } from './testing/explaining.js';
import { openBench } from './testing/process.js';

test('settings are shown with what holds and what they are for', async (context) => {
  const { api, fleetctl } = await openBench(context);
  api.settings.set.set('strategy', 'binpack');
  const { stdout, stderr, exitCode } = await fleetctl('settings', 'get');
  assert.deepEqual(
    stdout.split('\n').map((line) => line.split(/\t+/)),
    [
      ['KEY', 'VALUE', 'DEFAULT', 'HELP'],
      ['strategy', 'binpack', 'spread', 'what strategy is for'],
      ['max_units', 'none', 'none', 'what max_units is for'],
      ['loss_grace', 'agent_ttl', 'agent_ttl', 'what loss_grace is for'],
      [''],
    ],
  );
  assert.deepEqual([stderr, exitCode], ['', 0]);
});

test('one value for a script; JSON as the API gives it', async (context) => {
  const { fleetctl } = await openBench(context);
  const value = await fleetctl('settings', 'get', 'max_units', '--no-legend', '--fields', 'value');
  assert.deepEqual(value, { stdout: 'none\n', stderr: '', exitCode: 0 });
  const { stdout } = await fleetctl('settings', 'get', 'max_units', 'strategy', '-o', 'json');
  const { settings } = JSON.parse(stdout) as SettingsAnswer;
  assert.deepEqual(
    settings.map(({ key, isSet }) => [key, isSet]),
    [
      ['max_units', false],
      ['strategy', false],
    ],
  );
});

test('a setting that there is not is an error, with the nearest one; the others are shown', async (context) => {
  const { fleetctl } = await openBench(context);
  const { stdout, stderr, exitCode } = await fleetctl('settings', 'get', 'stratgy', 'max_units', 'x', '--fields=key');
  assert.equal(stdout, 'KEY\nmax_units\n');
  assert.equal(
    stderr,
    'Error: there is no setting "stratgy": did you mean strategy?\n' +
      'Error: there is no setting "x": there are strategy, max_units, loss_grace\n',
  );
  assert.equal(exitCode, 1);
});

test('a stored value that can not be used is told of', async (context) => {
  const { api, fleetctl } = await openBench(context);
  api.settings.problems.set('strategy', 'strategy is "best", but must be another');
  const { stderr, exitCode } = await fleetctl('settings', 'get');
  assert.deepEqual([stderr, exitCode], ['strategy is "best", but must be another: the default holds\n', 0]);
});

test('settings are set and unset, and printed as they are then', async (context) => {
  const { api, fleetctl } = await openBench(context);
  const set = await fleetctl('settings', 'set', 'max_units=12', 'strategy=a=b');
  assert.deepEqual(set, { stdout: 'strategy is a=b\nmax_units is 12\n', stderr: '', exitCode: 0 });
  const unset = await fleetctl('settings', 'unset', 'strategy');
  assert.deepEqual(unset, { stdout: 'strategy is spread, the default\n', stderr: '', exitCode: 0 });
  assert.deepEqual(Object.fromEntries(api.settings.set), { max_units: '12' });
  const { stdout } = await fleetctl('settings', 'set', 'max_units=13', '-o', 'json');
  assert.equal((JSON.parse(stdout) as SettingsAnswer).settings[1]?.value, '13');
});

test("the API's word on a wrong setting is the error", async (context) => {
  const { fleetctl } = await openBench(context);
  const { stderr, exitCode } = await fleetctl('settings', 'set', 'colour=blue');
  assert.deepEqual([stderr, exitCode], ['Error: there is no setting "colour"\n', 1]);
});

const mistakes = [
  [['settings'], /'settings' needs a command/],
  [['settings', 'gte'], /Did you mean get/],
  [['settings', 'set'], /No KEY=VALUE given[\s\S]*'fleetctl settings set --help'/],
  [['settings', 'set', 'strategy'], /"strategy" is not KEY=VALUE/],
  [['settings', 'set', '=x'], /"=x" is not KEY=VALUE/],
  [['settings', 'set', 'a=1', 'a=2'], /a is named twice/],
  [['settings', 'unset'], /No KEY given/],
  [['settings', 'unset', 'a=1'], /"a=1" is not a KEY[\s\S]*settings set/],
  [['settings', 'get', '--fields', 'size'], /Invalid key in output format/],
] as const;

test('a wrong line is explained, does nothing, and exits with 64', async (context) =>
  assertExplained(await openBench(context), mistakes));

test('the commands explain themselves with examples', async (context) =>
  assertHelpful(await openBench(context), ['settings get', 'settings set', 'settings unset']));
