import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FatalError } from '@flotilla/errors';
import { silentLogger } from './logger.js';
import { ReconcileLoop, type ReconcileLoopOptions } from './reconcile-loop.js';
import { TestClock } from './test-clock.js';

function loopWith(options: Partial<ReconcileLoopOptions> & Pick<ReconcileLoopOptions, 'body'>) {
  const clock = new TestClock();
  const loop = new ReconcileLoop({ name: 'test', clock, log: silentLogger, ...options });
  return { clock, loop };
}

test('a pass runs at start, after a wake-up, and at each interval', async () => {
  const atMs: number[] = [];
  const { clock, loop } = loopWith({ intervalMs: 1000, body: async () => void atMs.push(clock.monotonicMs()) });
  loop.start();
  await clock.advance(0);
  await clock.advance(300);
  loop.wake();
  await clock.advance(1300);
  await loop.close();
  assert.deepEqual(atMs, [0, 300, 1300]);
});

test('wake-ups during a pass become one more pass, and passes never overlap', async () => {
  let running = 0;
  let passes = 0;
  let finish: () => void = () => {};
  const { clock, loop } = loopWith({
    body: async () => {
      passes++;
      assert.equal(++running, 1);
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      running--;
    },
  });
  loop.start();
  await clock.advance(1);
  for (let i = 0; i < 5; i++) loop.wake();
  await clock.advance(1);
  assert.equal(passes, 1);
  finish();
  await clock.advance(1);
  assert.equal(passes, 2);
  finish();
  await clock.advance(100);
  assert.equal(passes, 2);
  await loop.close();
});

test('what goes on failing is told ever more rarely, and news at once', async () => {
  const told: unknown[] = [];
  let why = 'no room';
  const { clock, loop } = loopWith({
    log: { ...silentLogger, warn: (_message, fields) => void told.push(fields?.failures) },
    body: () => Promise.reject(new Error(why)),
  });
  loop.start();
  await clock.advance(3_600_000);
  assert.deepEqual(told, [1, 2, 4, 8, 16, 32, 64, 128]);
  why = 'no answer';
  await clock.advance(20_000);
  assert.equal(told.length, 9);
  await loop.close();
});

test('a burst of wake-ups within the gathering time is one pass', async () => {
  let passes = 0;
  const { clock, loop } = loopWith({ gatherMs: 20, body: async () => void passes++ });
  loop.start();
  await clock.advance(0);
  for (let i = 0; i < 10; i++) {
    loop.wake();
    await clock.advance(1);
  }
  await clock.advance(50);
  await loop.close();
  assert.equal(passes, 2);
});

test('with spacing, the first wake-up is answered at once and a burst takes few passes', async () => {
  const atMs: number[] = [];
  const { clock, loop } = loopWith({
    gatherMs: 10,
    spacingMs: 100,
    body: async () => void atMs.push(clock.monotonicMs()),
  });
  loop.start();
  await clock.advance(1000);
  for (let i = 0; i < 25; i++) {
    loop.wake();
    await clock.advance(10);
  }
  await clock.advance(1000);
  await loop.close();
  assert.deepEqual(atMs, [0, 1010, 1110, 1210, 1310]);
});

test('with a first spacing, what follows from a single change is answered soon, and a burst still takes few passes', async () => {
  const atMs: number[] = [];
  const { clock, loop } = loopWith({
    spacingMs: 60,
    firstSpacingMs: 8,
    body: async () => void atMs.push(clock.monotonicMs()),
  });
  loop.start();
  for (let burst = 0; burst < 2; burst++) {
    await clock.advance(1000);
    for (let i = 0; i < 200; i++) {
      loop.wake();
      await clock.advance(1);
    }
  }
  await clock.advance(1000);
  await loop.close();
  const since = (startMs: number) => [0, 8, 24, 56, 116, 176, 236].map((ms) => startMs + ms);
  assert.deepEqual(atMs, [0, ...since(1000), ...since(2200)]);
});

test('a failed pass runs again after 250 ms, then twice as long each time, at most 15 s', async () => {
  const atMs: number[] = [];
  const { clock, loop } = loopWith({
    body: async () => {
      atMs.push(clock.monotonicMs());
      throw new Error('no store');
    },
  });
  loop.start();
  await clock.advance(46_750);
  await loop.close();
  assert.deepEqual(atMs, [0, 250, 750, 1750, 3750, 7750, 15_750, 30_750, 45_750]);
});

test('a failed pass waits no longer than the loop allows', async () => {
  const atMs: number[] = [];
  const { clock, loop } = loopWith({
    longestBackoffMs: 1_000,
    body: async () => {
      atMs.push(clock.monotonicMs());
      throw new Error('no store');
    },
  });
  loop.start();
  await clock.advance(4_000);
  await loop.close();
  assert.deepEqual(atMs, [0, 250, 750, 1750, 2750, 3750]);
});

test('a pass is told to give up at its deadline', async () => {
  let isAborted = false;
  const { clock, loop } = loopWith({
    deadlineMs: 500,
    body: ({ signal }) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          isAborted = true;
          resolve();
        });
      }),
  });
  loop.start();
  await clock.advance(499);
  assert.equal(isAborted, false);
  await clock.advance(1);
  assert.equal(isAborted, true);
  await loop.close();
});

test('a fatal error ends the loop', async () => {
  const fatal: FatalError[] = [];
  let passes = 0;
  const { clock, loop } = loopWith({
    intervalMs: 10,
    onFatal: (error) => fatal.push(error),
    body: async () => {
      passes++;
      throw new FatalError('bad-config', 'no');
    },
  });
  loop.start();
  await clock.advance(1000);
  loop.wake();
  await clock.advance(1000);
  assert.equal(passes, 1);
  assert.equal(fatal.length, 1);
});

test('closing aborts the running pass and waits for it', async () => {
  let isDone = false;
  const { clock, loop } = loopWith({
    body: ({ signal }) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          isDone = true;
          resolve();
        });
      }),
  });
  loop.start();
  await clock.advance(1);
  await loop.close();
  assert.equal(isDone, true);
});
