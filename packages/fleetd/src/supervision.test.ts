import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger, TestClock } from '@flotilla/runtime';
import { Supervisor, takeSupervision } from './supervision.js';

const asked = { NOTIFY_SOCKET: '/run/systemd/notify', WATCHDOG_USEC: '60000000', WATCHDOG_PID: '7' };

test('what systemd wants to be told is taken out of the environment', () => {
  const environment: NodeJS.ProcessEnv = { ...asked, PATH: '/bin' };
  assert.deepEqual(takeSupervision(environment, 7), { socket: '/run/systemd/notify', watchdogMs: 60_000 });
  assert.deepEqual(environment, { PATH: '/bin' });
});

test('without a socket nothing is told, and another process’s watchdog is not ours to feed', () => {
  assert.equal(takeSupervision({ WATCHDOG_USEC: '60000000' }, 7), undefined);
  assert.equal(takeSupervision({ ...asked }, 8)?.watchdogMs, undefined);
  assert.equal(takeSupervision({ ...asked, WATCHDOG_USEC: '0' }, 7)?.watchdogMs, undefined);
});

test('a sign of life is given three times in the time that systemd waits, also after one that failed', async () => {
  const clock = new TestClock();
  const told: string[][] = [];
  const supervisor = new Supervisor({
    supervision: { socket: '/s', watchdogMs: 60_000 },
    clock,
    log: silentLogger,
    status: () => 'two\nlines',
    send: async (messages) => {
      told.push([...messages]);
      if (told.length === 2) throw new Error('systemd is busy');
    },
  });
  const done = supervisor.ready();
  await clock.advance(60_000);
  const life = ['WATCHDOG=1', 'STATUS=two lines'];
  assert.deepEqual(told, [['READY=1', 'STATUS=two lines'], life, life, life]);
  supervisor.close();
  await done;
  await clock.advance(60_000);
  assert.equal(told.length, 4);
});

test('systemd is asked to wait as long as leaving may take', async () => {
  const told: string[] = [];
  const supervisor = new Supervisor({
    supervision: { socket: '/s', watchdogMs: undefined },
    clock: new TestClock(),
    log: silentLogger,
    status: () => '',
    send: async (messages) => void told.push(...messages),
  });
  await supervisor.ready();
  await supervisor.stopping(300_000);
  assert.deepEqual(told.slice(2), ['STOPPING=1', 'EXTEND_TIMEOUT_USEC=320000000']);
});
