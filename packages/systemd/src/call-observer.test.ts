import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock, TestClock } from '@flotilla/runtime';
import { type CallObserver, observeRun } from './call-observer.js';
import { DbusConnection } from './dbus-connection.js';
import { TestBus } from './test-bus.js';

function notes() {
  const told: string[] = [];
  const onCall: CallObserver = ({ by, verb, isFailed }) => told.push(`${by} ${verb}${isFailed ? ' failed' : ''}`);
  return { told, onCall };
}

test('a call of systemctl is told by its verb, without what it is about', async () => {
  const { told, onCall } = notes();
  const clock = new TestClock();
  let exitCode: number | undefined = 0;
  const run = observeRun(
    async () => {
      if (exitCode === undefined) throw new Error('there is no systemctl');
      return { exitCode, stdout: '', stderr: '' };
    },
    { clock, onCall },
  );
  await run('systemctl', ['--user', 'start', '--no-block', '--', 'a.service']);
  exitCode = 5;
  await run('systemctl', ['daemon-reload']);
  exitCode = undefined;
  await assert.rejects(run('systemctl', ['stop', '--', 'a.service']));
  assert.deepEqual(told, ['systemctl start', 'systemctl daemon-reload failed', 'systemctl stop failed']);
});

test('a call over the bus is told by its method', async () => {
  const { told, onCall } = notes();
  const bus = await TestBus.create();
  await bus.start();
  const ignore = () => {};
  const connection = new DbusConnection({
    socket: bus.socket,
    clock: systemClock,
    onSignal: ignore,
    onLost: ignore,
    onCall,
  });
  await connection.hello();
  await assert.rejects(connection.callBus('NoSuchMethod'));
  connection.close();
  await bus.close();
  assert.deepEqual(told, ['dbus Hello', 'dbus NoSuchMethod failed']);
});
