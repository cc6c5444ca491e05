import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestClock } from '@flotilla/runtime';
import type { Handle } from './api.js';
import { HandleSwitch } from './handle-switch.js';
import type { ApiRequest } from './request.js';

const asked = (url: string): ApiRequest => ({ method: 'GET', url, headers: {}, body: new Uint8Array(), door: 'unix' });
const machines = asked('/fleet/v1/machines');

const saying =
  (body: string): Handle =>
  async () => ({ status: 200, headers: {}, body });

/** Answers when it is told to. */
function slow(body: string) {
  const answers: (() => void)[] = [];
  const handle: Handle = () =>
    new Promise((resolve) => answers.push(() => resolve({ status: 200, headers: {}, body })));
  return { handle, answer: () => answers.splice(0).forEach((each) => void each()) };
}

function switchFrom(handle: Handle) {
  const clock = new TestClock();
  const doors = new HandleSwitch({ handle, clock });
  const bodies: string[] = [];
  const send = (request = machines) => void doors.handle(request).then(({ body }) => bodies.push(body));
  return { clock, doors, bodies, send };
}

test('a request is answered by what is there when it comes', async () => {
  const { clock, doors, bodies, send } = switchFrom(saying('old'));
  send();
  await clock.advance(0);
  await doors.exchange(saying('new'));
  send();
  await clock.advance(0);
  assert.deepEqual(bodies, ['old', 'new']);
});

test('who comes while requests are held is answered by what is there when they are let through', async () => {
  const { clock, doors, bodies, send } = switchFrom(saying('old'));
  doors.hold(2_000);
  send();
  send();
  await clock.advance(1_500);
  assert.deepEqual(bodies, []);
  await doors.exchange(saying('new'));
  doors.release();
  await clock.advance(0);
  assert.deepEqual(bodies, ['new', 'new']);
});

test('nobody waits longer than was said last', async () => {
  const { clock, doors, bodies, send } = switchFrom(saying('none'));
  doors.hold(2_000);
  send();
  await clock.advance(1_500);
  doors.hold(2_000);
  await clock.advance(1_900);
  assert.deepEqual(bodies, []);
  await clock.advance(100);
  assert.deepEqual(bodies, ['none']);
  send();
  await clock.advance(0);
  assert.deepEqual(bodies, ['none', 'none'], 'and nobody waits after that');
});

test('what needs no store is answered at once', async () => {
  const { clock, doors, bodies, send } = switchFrom(saying('here'));
  doors.hold(2_000);
  for (const url of ['/healthz', '/readyz', '/nowhere', 'no path']) send(asked(url));
  await clock.advance(0);
  assert.equal(bodies.length, 4);
});

test('an exchange is over when what the former one was asked has its answer, and later ones do not count', async () => {
  const [former, next] = [slow('former'), slow('next')];
  const { clock, doors, bodies, send } = switchFrom(former.handle);
  send();
  send();
  let isOver = false;
  void doors.exchange(next.handle).then(() => {
    isOver = true;
  });
  send();
  await clock.advance(0);
  assert.equal(isOver, false);
  former.answer();
  await clock.advance(0);
  assert.deepEqual([isOver, bodies], [true, ['former', 'former']]);
});

test('a request whose handling breaks is no longer waited for', async () => {
  const doors = new HandleSwitch({ handle: () => Promise.reject(new Error('broken')), clock: new TestClock() });
  const broken = doors.handle(machines);
  const exchanged = doors.exchange(saying('new'));
  await assert.rejects(broken, /broken/);
  await exchanged;
});
