import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestClock } from '@flotilla/runtime';
import { service } from './memory-host.js';
import { TaskFailures } from './task-failures.js';

const web = service('web');

test('the wait doubles with each failure, and a unit is held as long', () => {
  const clock = new TestClock();
  const failures = new TaskFailures(clock);
  for (const waitMs of [250, 500, 1000]) {
    failures.add(web, { message: 'no', wish: 'w' });
    assert.equal(failures.nextRetryMs(), waitMs);
    assert.ok(failures.held().has(web));
    clock.freeze(waitMs);
    assert.equal(failures.held().has(web), false);
  }
});

test('a retry that has fallen due is due at once, not lost', () => {
  const clock = new TestClock();
  const failures = new TaskFailures(clock);
  failures.add(web, { message: 'no', wish: 'w' });
  clock.freeze(10_000);
  assert.equal(failures.nextRetryMs(), 1);
});

test('another wish is a new chance', () => {
  const failures = new TaskFailures(new TestClock());
  failures.add(web, { message: 'no', wish: 'w' });
  failures.keep((name) => (name === web ? 'x' : undefined));
  assert.equal(failures.message(web), undefined);
  assert.equal(failures.nextRetryMs(), undefined);
});
