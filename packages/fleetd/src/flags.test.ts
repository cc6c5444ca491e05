import assert from 'node:assert/strict';
import { test } from 'node:test';
import { environmentValues, parseFlags } from './flags.js';
import { optionNames } from './options.js';

async function run(...args: string[]) {
  const command = await parseFlags(args);
  assert.equal(command.kind, 'run');
  return command.kind === 'run' ? command : assert.fail();
}

test('a flag is an option with dashes, and remembers where it came from', async () => {
  const { values, configFile } = await run('--agent-ttl=5s', '--metadata', 'role=db');
  assert.equal(configFile, undefined);
  assert.deepEqual(Object.fromEntries(values), {
    agent_ttl: { text: '5s', source: '--agent-ttl' },
    metadata: { text: 'role=db', source: '--metadata' },
  });
});

for (const args of [['-config', '/x'], ['-config=/x'], ['--config', '/x'], ['--config=/x']]) {
  test(`${args.join(' ')} names the file`, async () => {
    assert.equal((await run(...args)).configFile, '/x');
  });
}

test('--user says whose units are meant', async () => {
  for (const args of [['--user'], ['-user'], ['--user=true']]) assert.equal((await run(...args)).isUser, true);
  for (const args of [[], ['--user=false']]) assert.equal((await run(...args)).isUser, false);
});

test('a flag may be written as the option is in the file', async () => {
  const { values } = await run('--agent_ttl=5s', '-units_directory', '/u_v');
  assert.equal(values.get('agent_ttl')?.text, '5s');
  assert.equal(values.get('units_directory')?.text, '/u_v');
});

for (const args of [['version'], ['-version'], ['--version']]) {
  test(`${args.join(' ')} asks for the version`, async () => {
    assert.deepEqual(await parseFlags(args), { kind: 'version' });
  });
}

for (const args of [['-help'], ['--help'], ['-h'], ['help']]) {
  test(`${args.join(' ')} explains every option`, async () => {
    const command = await parseFlags(args);
    assert.equal(command.kind, 'help');
    const text = command.kind === 'help' ? command.text : '';
    for (const name of optionNames) assert.match(text, new RegExp(`--${name.replaceAll('_', '-')}\\b`));
  });
}

test('a boolean flag without a value means yes', async () => {
  const { values } = await run('--disable-engine', '--disable-agent=false');
  assert.equal(values.get('disable_engine')?.text, 'true');
  assert.equal(values.get('disable_agent')?.text, 'false');
});

test('an unknown flag, a missing value and a stray word are usage errors', async () => {
  for (const args of [['--agent-tll=5s'], ['--agent-ttl'], ['list-units']]) {
    const command = await parseFlags(args);
    assert.equal(command.kind, 'usage', args.join(' '));
  }
  const stray = await parseFlags(['list-units']);
  assert.match(stray.kind === 'usage' ? stray.text : '', /Did you mean fleetctl\?/);
});

test('the environment sets options; set but empty counts', () => {
  const values = environmentValues({ FLEET_METADATA: '', FLEET_AGENT_TTL: '9s', OTHER: 'x' });
  assert.deepEqual(Object.fromEntries(values), {
    metadata: { text: '', source: 'FLEET_METADATA' },
    agent_ttl: { text: '9s', source: 'FLEET_AGENT_TTL' },
  });
});
