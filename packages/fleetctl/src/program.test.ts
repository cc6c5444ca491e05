import assert from 'node:assert/strict';
import { test } from 'node:test';
import { version } from '@flotilla/errors';
import { catalogue } from './catalogue.js';
import { assertExplained, assertHelpful } from './testing/explaining.js';
import { ended, openBench } from './testing/process.js';

test('the version has three doors', async (context) => {
  const { fleetctl, api } = await openBench(context);
  for (const word of ['version', '--version', '-v'])
    assert.deepEqual(await fleetctl(word), { stdout: `fleetctl version ${version}\n`, stderr: '', exitCode: 0 });
  assert.deepEqual(api.requests, []);
});

test('help is on stdout, names every command and the version, and ends well', async (context) => {
  const { fleetctl } = await openBench(context);
  for (const words of [[], ['help'], ['--help'], ['-h']]) {
    const { stdout, stderr, exitCode } = await fleetctl(...words);
    assert.equal(stderr, '');
    assert.equal(exitCode, 0);
    assert.ok(stdout.includes(version));
    for (const { name } of catalogue) assert.match(stdout, new RegExp(`^  ${name} `, 'm'));
  }
});

test('each command explains itself with examples', async (context) =>
  assertHelpful(
    await openBench(context),
    catalogue.map(({ name }) => name),
  ));

const mistakes = [
  [['list-unit'], /unknown command 'list-unit'\n\(Did you mean list-units\?\)\nRun 'fleetctl --help'/],
  [
    ['start', '--replcae', 'a'],
    /unknown option '--replcae'\n\(Did you mean --replace\?\)\nRun 'fleetctl start --help'/,
  ],
  [['start'], /No units given\nRun 'fleetctl start --help'/],
  [['start', 'a b'], /"a b" is not a unit: invalid character ' ' in unit name/],
  [['start', '--wait=long', 'a'], /--wait.*no duration/],
  [['start', '--block-attempts=x', 'a'], /--block-attempts.*no whole number/],
  [['cat'], /One unit file must be provided/],
  [['cat', 'a', 'b'], /One unit file must be provided/],
  [['list-units', '--fields', 'unit, active'], /Invalid key in output format: " active"/],
  [['list-units', '--fields='], /Must define output format/],
  [['list-units', '-o', 'xml'], /Allowed choices are json, yaml, wide, name/],
  [['list-units', '--endpoint', 'fleet.sock'], /bad endpoint "fleet.sock"/],
  [['list-units', '--user', '--endpoint=unix:///a.sock'], /--user and --endpoint/],
  [['list-units', '--user'], /XDG_RUNTIME_DIR is not set/],
  [['help', 'strat'], /Did you mean start/],
] as const;

test('a wrong line is explained, does nothing, and exits with 64', async (context) =>
  assertExplained(await openBench(context), mistakes));

test('an API that is not there is named, with what to do', async (context) => {
  const { fleetctl } = await openBench(context);
  const { stderr, exitCode } = await fleetctl('list-units', '--endpoint=unix:///nowhere.sock');
  assert.match(
    stderr,
    /^Error retrieving list of units from repository: cannot reach fleetd at unix:\/\/\/nowhere.sock: no such file\n.*--endpoint/,
  );
  assert.equal(exitCode, 1);
});

test('of several endpoints the first is used, and that is told', async (context) => {
  const { fleetctl, api } = await openBench(context);
  const { stdout, stderr, exitCode } = await fleetctl('list-units', `--endpoint=${api.endpoint},http://nowhere:1`);
  assert.match(stdout, /^UNIT/);
  assert.equal(stderr, `WARNING: only the first endpoint is used: ${api.endpoint}\n`);
  assert.equal(exitCode, 0);
});

test('a reader that goes away early is no error', async (context) => {
  const { api, spawn } = await openBench(context);
  api.pageSize = 10_000;
  for (let index = 0; index < 3000; index++)
    api.add(`unit-with-a-long-name-${index}.service`, '[Service]\nExecStart=/bin/a\n');
  const child = spawn(['list-unit-files']);
  child.stdout?.once('data', () => child.stdout?.destroy());
  const { stderr, exitCode } = await ended(child);
  assert.equal(stderr, '');
  assert.ok(exitCode === 141 || exitCode === 0, `exit code ${exitCode}`);
});

test('Ctrl-C ends a wait with 130', async (context) => {
  const { api, spawn, write } = await openBench(context);
  await write('web.service', '[Service]\nExecStart=/bin/a\n');
  api.tempers.set('web.service', { delay: 1_000_000 });
  const child = spawn(['start', '--debug', '--block-attempts=0', 'web']);
  const end = ended(child);
  child.stderr?.on('data', (text: string) => {
    if (text.includes('PUT')) child.kill('SIGINT');
  });
  assert.equal((await end).exitCode, 130);
});

test('colours and progress are for terminals only', async (context) => {
  const { api, spawn, write } = await openBench(context);
  await write('web.service', '[Service]\nExecStart=/bin/a\n');
  api.tempers.set('web.service', { reason: 'no machine' });
  const { stderr } = await ended(spawn(['start', '--wait=100ms', 'web'], { FORCE_COLOR: '1' }));
  assert.equal(stderr, 'Unit web.service is not launched after 0.1 s: no machine\n');
});
