import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileConfig } from './compile-config.js';
import { isOptionName, type OptionName, type OptionValue } from './options.js';

function given(values: Record<string, string>, source = 'f:1') {
  const map = new Map<OptionName, OptionValue>();
  for (const [name, text] of Object.entries(values)) {
    assert.ok(isOptionName(name));
    map.set(name, { text, source });
  }
  return map;
}

test('the defaults are fleet’s', () => {
  const config = compileConfig([]);
  assert.deepEqual(config.etcd.servers, ['http://127.0.0.1:2379', 'http://127.0.0.1:4001']);
  assert.equal(config.etcd.keyPrefix, '/_coreos.com/fleet/');
  assert.equal(config.etcd.requestTimeoutMs, 1000);
  assert.equal(config.leaderTtlSeconds, 10);
  assert.equal(config.agentTtlSeconds, 30);
  assert.equal(config.tokenLimit, 100);
  assert.equal(config.unitsDirectory, '/var/lib/fleet/units');
  assert.ok(config.hasEngine && config.hasAgent);
});

test('the first source that has an option wins', () => {
  const config = compileConfig([
    given({ agent_ttl: '5s' }, '--agent-ttl'),
    given({ agent_ttl: '9s', token_limit: '7' }),
  ]);
  assert.equal(config.agentTtlSeconds, 5);
  assert.equal(config.tokenLimit, 7);
});

test('servers come bare or in brackets and quotes', () => {
  const servers = '["http://a:2379", "https://b:2379"]';
  assert.deepEqual(compileConfig([given({ etcd_servers: servers })]).etcd.servers, ['http://a:2379', 'https://b:2379']);
});

test('servers may end in a slash', () => {
  assert.deepEqual(compileConfig([given({ etcd_servers: 'http://a:2379/' })]).etcd.servers, ['http://a:2379']);
});

test('a password in an address is refused, and not repeated', () => {
  assert.throws(() => compileConfig([given({ etcd_servers: 'http://u:se/cr@t@a:1, http://b:1' }, 'fleet.conf:7')]), {
    message:
      'fleet.conf:7: etcd_servers is "http://…@a:1, http://b:1", but must be a list of http:// or https:// addresses; user and password go into etcd_username and etcd_password',
  });
});

test('metadata is split at commas and at the first equals sign', () => {
  const { metadata } = compileConfig([given({ metadata: ' role = db , opts=a=b,role=web' })]);
  assert.deepEqual(Object.fromEntries(metadata), { role: 'web', opts: 'a=b' });
});

test('a grace for lost machines that is not set is left to agent_ttl', () => {
  assert.equal(compileConfig([]).lossGraceMs, undefined);
  assert.equal(compileConfig([given({ loss_grace: '1m' })]).lossGraceMs, 60_000);
});

test('a limit on units is a whole number; none, or 0, is no limit', () => {
  assert.equal(compileConfig([given({ max_units: '12' })]).maxUnits, 12);
  for (const text of ['', '0']) assert.equal(compileConfig([given({ max_units: text })]).maxUnits, undefined);
  assert.equal(compileConfig([]).maxUnits, undefined);
});

for (const [name, text, expected] of [
  ['engine_reconcile_interval', '2s', 'a number of seconds from above 0 to 86400, like 2.5'],
  ['agent_ttl', '30', 'a duration from above 0 to 500h, like 30s or 1m30s'],
  ['agent_ttl', '0s', 'a duration from above 0 to 500h, like 30s or 1m30s'],
  ['loss_grace', '0', 'a duration from above 0 to 500h, like 30s or 1m30s'],
  ['max_units', 'many', 'a whole number from 0 to 1000000'],
  ['token_limit', 'x', 'a whole number from 1 to 65535'],
  ['token_limit', '65536', 'a whole number from 1 to 65535'],
  ['disable_engine', 'maybe', 'true or false'],
  ['units_directory', 'units', 'a path that begins with a slash, and not below /proc or /sys'],
  ['units_directory', '/sys', 'a path that begins with a slash, and not below /proc or /sys'],
  ['state_directory', '//tmp/../proc/fleet', 'a path that begins with a slash, and not below /proc or /sys'],
  ['etcd_servers', 'localhost:2379', 'a list of http:// or https:// addresses'],
  ['metadata', 'role', 'key=value pairs, separated by commas'],
  ['on_stop', 'go', 'auto, leave or stay'],
] as const) {
  test(`${name}=${text} is refused with its place and what it must be`, () => {
    assert.throws(() => compileConfig([given({ [name]: text }, 'fleet.conf:7')]), {
      message: `fleet.conf:7: ${name} is "${text}", but must be ${expected}`,
    });
  });
}

test('a certificate without its key is refused where it is set', () => {
  assert.throws(() => compileConfig([given({ etcd_certfile: '/c.pem' }, 'fleet.conf:3')]), {
    message: 'fleet.conf:3: etcd_certfile and etcd_keyfile go together, but only one of them is set',
  });
});

test('a key prefix begins and ends with one slash', () => {
  for (const prefix of ['fleet', '/fleet', 'fleet/', '/fleet/']) {
    assert.equal(compileConfig([given({ etcd_key_prefix: prefix })]).etcd.keyPrefix, '/fleet/');
  }
  assert.equal(compileConfig([given({ etcd_key_prefix: '/' })]).etcd.keyPrefix, '/');
});
