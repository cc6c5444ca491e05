import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Listening } from '@flotilla/api';
import { compileConfig } from './compile-config.js';
import { ConfigError } from './errors.js';
import { findGroupId, findListeners, openDoorAlarms } from './listeners.js';
import type { OptionName, OptionValue } from './options.js';

function config(values: Partial<Record<OptionName, string>>) {
  const entries = Object.entries(values).map(([name, text]): [OptionName, OptionValue] => {
    return [name as OptionName, { text, source: `fleet.conf:${name}` }];
  });
  return compileConfig([new Map(entries)]);
}
const doors = { sockets: [], runtimeDirectory: '/run/user/7', groupId: 12 };

test('the sockets that were passed come first, then those of the configuration, each once', () => {
  const given = config({ listen: 'unix:///a, 10.0.0.1:1, localhost:2', insecure_listen: '10.0.0.1:1' });
  assert.deepEqual(findListeners(given, { ...doors, sockets: [3, 4] }), [
    { kind: 'inherited', fd: 3 },
    { kind: 'inherited', fd: 4 },
    { kind: 'unix', path: '/a', mode: 0o660, gid: 12 },
    { kind: 'tcp', host: 'localhost', port: 2 },
    { kind: 'tcp', host: '10.0.0.1', port: 1 },
  ]);
});

test('a socket file is for the group fleet, or, without that group and for a user, for its owner alone', () => {
  const listen = 'unix:///a';
  const forOwner = [{ kind: 'unix', path: '/a', mode: 0o600 }];
  assert.deepEqual(findListeners(config({ listen }), { ...doors, groupId: undefined }), forOwner);
  assert.deepEqual(findListeners(config({ listen, systemd_user: 'true' }), doors), forOwner);
});

test('a user’s fleetd that is told of none has a socket of its own; a host’s has not', () => {
  assert.deepEqual(findListeners(config({ systemd_user: 'true' }), doors), [
    { kind: 'unix', path: '/run/user/7/fleet.sock', mode: 0o600 },
  ]);
  assert.deepEqual(findListeners(config({}), doors), []);
});

test('an address that other hosts reach is refused unless it is allowed to be', () => {
  for (const listen of ['0.0.0.0:1', '[::]:1', '10.0.0.1:1', 'host.example:1', '[::ffff:10.0.0.1]:1', '128.0.0.1:1']) {
    assert.throws(
      () => config({ listen }),
      (error) => {
        assert.ok(error instanceof ConfigError);
        assert.match(error.message, /^fleet.conf:listen: listen is .*:1, which other hosts reach/);
        assert.ok(error.hint?.endsWith(`insecure_listen = ${listen}`), error.hint);
        return true;
      },
    );
    assert.equal(config({ listen, insecure_listen: listen }).listen.length, 1);
  }
  assert.equal(config({ listen: '127.8.8.8:1,[::1]:1,localhost:1,[::ffff:127.0.0.1]:1' }).listen.length, 4);
});

test('an API that other hosts reach is an alarm that says where; loopback and sockets are none', () => {
  const tcp = (address: string): Listening => ({ door: 'tcp', address });
  assert.deepEqual(openDoorAlarms([tcp('127.0.0.1:1'), tcp('[::1]:1'), { door: 'unix', address: 'fd 3' }]), []);
  const [alarm, ...others] = openDoorAlarms([tcp('0.0.0.0:1'), tcp('127.0.0.1:2'), tcp('[::]:3')]);
  assert.deepEqual(others, []);
  assert.equal(alarm?.code, 'api-open');
  assert.match(alarm?.message ?? '', /open at 0\.0\.0\.0:1 and \[::\]:3: whoever reaches that is root/);
});

test('a group is found by its name', () => {
  const groups = 'root:x:0:\nfleeting:x:7:\nfleet:x:998:ann,bob\nbad:x::\n';
  assert.equal(findGroupId(groups, 'fleet'), 998);
  assert.equal(findGroupId(groups, 'bad'), undefined);
  assert.equal(findGroupId(groups, 'fle'), undefined);
});
