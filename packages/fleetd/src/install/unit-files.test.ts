import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileConfig } from '../compile-config.js';
import { hostPlaces } from './places.js';
import { fleetServiceUnit, fleetSocketUnit } from './unit-files.js';

test('systemd gets the arguments as they are', () => {
  const command = ['/opt/my node/bin', '100%', '$HOME', 'a"b\\c', '--config=/x'];
  const lines = fleetServiceUnit({ command, manager: 'system' }).split('\n');
  const [line] = lines.filter((each) => each.startsWith('ExecStart='));
  assert.equal(line, 'ExecStart="/opt/my node/bin" 100%% $$HOME "a\\"b\\\\c" --config=/x');
});

test('systemd waits longer than the default of leave_timeout', () => {
  const text = fleetServiceUnit({ command: ['/x'], manager: 'system' });
  const [, seconds] = /^TimeoutStopSec=(\d+)$/m.exec(text) ?? [];
  assert.ok(Number(seconds) * 1000 > compileConfig([]).leaveTimeoutMs + 10_000);
});

test('a fleetd that hangs is found out before its machine counts as lost', () => {
  const text = fleetServiceUnit({ command: ['/x'], manager: 'system' });
  const [, seconds] = /^WatchdogSec=(\d+)$/m.exec(text) ?? [];
  assert.ok(Number(seconds) > 0 && Number(seconds) <= compileConfig([]).agentTtlSeconds);
});

test('a user’s own systemd gets nothing that only the host’s can give', () => {
  const units = [
    fleetServiceUnit({ command: ['/x'], manager: 'user' }),
    fleetSocketUnit({ socket: '%t/fleet.sock', manager: 'user' }),
  ];
  for (const text of units) assert.doesNotMatch(text, /network-online|OOMScoreAdjust|SocketGroup|multi-user/);
});

test('the places of an installation are the defaults of the options', () => {
  const { stateDirectory, unitDirectories } = compileConfig([]);
  assert.equal(stateDirectory, hostPlaces.stateDirectory);
  assert.deepEqual(unitDirectories, [{ name: 'local', path: hostPlaces.unitDirectory }]);
});

test('fleetd sees the host’s files as they are: its options may name a directory anywhere', () => {
  const text = fleetServiceUnit({ command: ['/x'], manager: 'system' });
  assert.doesNotMatch(text, /^(?:Protect|Private|ReadOnly|Inaccessible|TemporaryFile|Root|Dynamic|User=)/m);
});
