import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseConfigFile } from './config-file.js';
import { ConfigError } from './errors.js';

function textOf(file: string): Record<string, string> {
  const { values } = parseConfigFile(file, 'fleet.conf');
  return Object.fromEntries([...values].map(([name, { text }]) => [name, text]));
}

test('keys stand outside of sections, in any case, with comments and quotes', () => {
  const file = '# c\n; c\n\nagent_ttl = "5s"\nMETADATA=role=db,disk=ssd # why\nverbosity=1 ; more\npublic_ip =\n';
  assert.deepEqual(textOf(file), { agent_ttl: '5s', metadata: 'role=db,disk=ssd', verbosity: '1', public_ip: '' });
});

test('a value in quotes is taken as it stands; without them a comment ends it, and a backslash is a letter', () => {
  const file = `etcd_password = "a;b#c\\d\\n"\netcd_username='it is' # it\nmetadata = a=b\\;c\npublic_ip = "a" b"\n`;
  assert.deepEqual(textOf(file), {
    etcd_password: 'a;b#c\\d\\n',
    etcd_username: 'it is',
    metadata: 'a=b\\',
    public_ip: 'a" b',
  });
});

test('fleet’s list of servers reads as one value', () => {
  const servers = '["http://10.0.0.1:2379", "http://10.0.0.2:2379"]';
  assert.equal(textOf(`etcd_servers=${servers}\n`).etcd_servers, servers);
});

test('a backslash joins the next line, and lines are counted from the first', () => {
  const { values } = parseConfigFile('\nmetadata = a=b,\\\n  c=d\nagent_ttl=1s\n', 'f');
  assert.deepEqual(values.get('metadata'), { text: 'a=b,c=d', source: 'f:2' });
  assert.deepEqual(values.get('agent_ttl'), { text: '1s', source: 'f:4' });
});

test('the last of two equal keys counts', () => {
  assert.deepEqual(textOf('agent_ttl=1s\nagent_ttl=2s\n'), { agent_ttl: '2s' });
});

test('an unknown key warns with the nearest name, and a dead one of fleet’s says so', () => {
  const { warnings } = parseConfigFile('agent_tl=1s\nenable_grpc=true\nxyzzy=1\n', 'f');
  assert.deepEqual(warnings, [
    'f:1: unknown option agent_tl is ignored; did you mean agent_ttl?',
    'f:2: Config option enable_grpc is no longer supported - ignoring',
    'f:3: unknown option xyzzy is ignored',
  ]);
});

test('options below a section are ignored, and the log says so', () => {
  const { values, warnings } = parseConfigFile('verbosity=1\n[fleet]\nagent_ttl=1s\n', 'f');
  assert.deepEqual([...values.keys()], ['verbosity']);
  assert.match(warnings[0] ?? '', /^f:2: options below \[fleet\] are ignored/);
});

test('a line that is no option is refused with its number', () => {
  assert.throws(() => parseConfigFile('verbosity=1\nagent_ttl 5s\n', 'fleet.conf'), {
    name: 'ConfigError',
    message: 'fleet.conf:2: "agent_ttl 5s" is not an option',
  });
  assert.throws(() => parseConfigFile('metadata[]=x\n', 'f'), ConfigError);
});

test('no text throws anything but a ConfigError', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      try {
        parseConfigFile(text, 'f');
      } catch (error) {
        assert.ok(error instanceof ConfigError, String(error));
      }
    }),
  );
});
