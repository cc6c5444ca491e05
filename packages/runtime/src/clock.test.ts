import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { sleep, systemClock } from './clock.js';
import { TestClock } from './test-clock.js';

test('sleep ends at its time', async () => {
  const clock = new TestClock();
  let isAwake = false;
  void sleep(clock, 100).then(() => {
    isAwake = true;
  });
  await clock.advance(99);
  assert.equal(isAwake, false);
  await clock.advance(1);
  assert.equal(isAwake, true);
});

test('sleep ends at once when its signal aborts, or has aborted', async () => {
  const abort = new AbortController();
  const asleep = sleep(systemClock, 60_000, abort.signal);
  abort.abort();
  await asleep;
  await sleep(systemClock, 60_000, abort.signal);
});

test('timers run in the order of their times, and a cancelled one never', async () => {
  const clock = new TestClock();
  const ran: string[] = [];
  clock.setTimer(20, () => ran.push('b'));
  clock.setTimer(10, () => ran.push('a'));
  clock.setTimer(15, () => ran.push('x')).cancel();
  await clock.advance(30);
  assert.deepEqual(ran, ['a', 'b']);
});

test('a timer longer than Node’s longest timeout runs at its time, not at once', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    let isDue = false;
    const month = 30 * 24 * 3_600_000;
    systemClock.setTimer(month, () => {
      isDue = true;
    });
    mock.timers.tick(2 ** 31 - 1);
    mock.timers.tick(month - 2 ** 31);
    assert.equal(isDue, false);
    mock.timers.tick(1);
    assert.equal(isDue, true);
  } finally {
    mock.timers.reset();
  }
});
