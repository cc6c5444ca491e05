import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readEnvironment } from './environment.js';
import { parseFlags } from './flags.js';
import { flagName, legacyOptions, optionNames, variableName } from './options.js';

async function run(...args: string[]) {
  const command = await parseFlags(args);
  if (command.kind !== 'run') assert.fail(JSON.stringify(command));
  const { configFile, isUser, flags } = command;
  return { configFile, isUser, ...flags };
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

for (const args of [['-help'], ['--help'], ['-h'], ['help'], ['--agent-ttl=1s', '--help']]) {
  test(`${args.join(' ')} explains every option in 80 columns`, async () => {
    const command = await parseFlags(args);
    assert.equal(command.kind, 'help');
    const text = command.kind === 'help' ? command.text : '';
    for (const name of optionNames) {
      assert.match(text, new RegExp(`^  --${flagName(name)}(=\\S+|\\[=true.false\\])$`, 'm'));
      assert.ok(text.includes(`[${name}, ${variableName(name)}]`), name);
    }
    for (const line of text.split('\n')) assert.ok(line.length <= 80 && line === line.trimEnd(), line);
    assert.match(text, /^ +how long a silent machine counts as alive \(default: 30s\)$/m);
  });
}

test('a boolean flag without a value means yes, and takes no word after it for one', async () => {
  const { values } = await run('--disable-engine', '--disable-agent=false', '-systemd-user');
  assert.deepEqual([...values.values()].map(({ text }) => text).sort(), ['false', 'true', 'true']);
  assert.equal(values.get('disable_agent')?.text, 'false');
  assert.deepEqual(await parseFlags(['--disable-engine', 'version']), { kind: 'version' });
});

test('a flag of fleet’s that means nothing here is taken, with a word on it', async () => {
  for (const name of legacyOptions) {
    const { warnings, values } = await run(`--${flagName(name)}=true`);
    assert.equal(values.size, 0);
    assert.deepEqual(warnings, [`--${flagName(name)}: Config option ${name} is no longer supported - ignoring`]);
  }
  assert.equal((await run('--disable-watches', '--enable-grpc')).warnings.length, 2);
});

async function refusal(...args: string[]): Promise<string> {
  const command = await parseFlags(args);
  return command.kind === 'usage' ? command.text : assert.fail(JSON.stringify(command));
}

test('an unknown flag, a missing value and a value that is none are usage errors', async () => {
  assert.match(
    await refusal('--agent-tll=5s'),
    /^fleetd: there is no flag --agent-tll; did you mean --agent-ttl\?\nTry/,
  );
  assert.match(await refusal('-x'), /^fleetd: there is no flag --x\n/);
  assert.match(await refusal('--agent-ttl'), /agent-ttl/);
  assert.match(await refusal('--user=perhaps'), /^fleetd: --user is "perhaps", but must be true or false/);
});

test('a stray word is answered in fleet’s words, with the usage', async () => {
  const text = await refusal('list-units');
  assert.match(text, /^fleetd takes no arguments\. Did you mean to invoke fleetctl instead\?\nUsage: fleetd/);
});

test('the environment sets options; set but empty counts', () => {
  const { values } = readEnvironment({ FLEET_METADATA: '', FLEET_AGENT_TTL: '9s', OTHER: 'x' });
  assert.deepEqual(Object.fromEntries(values), {
    metadata: { text: '', source: 'FLEET_METADATA' },
    agent_ttl: { text: '9s', source: 'FLEET_AGENT_TTL' },
  });
});
