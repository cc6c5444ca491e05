import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseUnitName } from '@flotilla/unit';
import type { UnitStatus } from './unit-manager.js';
import { UnitStates } from './unit-states.js';

const [a, b] = [parseUnitName('a.service'), parseUnitName('b.service')];
const running: UnitStatus = { load: 'loaded', active: 'active', sub: 'running', job: undefined };
const failed: UnitStatus = { load: 'loaded', active: 'failed', sub: 'failed', job: undefined };
const listing = (...statuses: readonly (readonly [string, UnitStatus])[]) => ({
  statuses: new Map(statuses),
  aliases: new Map<string, string>(),
});

test('what was learned is certain until it is doubted', () => {
  const states = new UnitStates();
  assert.equal(states.find(a), undefined);
  states.learn(listing([a, running], [b, running]), states.ask([a, b]));
  assert.deepEqual(states.find(a), running);
  assert.equal(states.doubt([a]), true);
  assert.equal(states.find(a), undefined);
  assert.deepEqual(states.find(b), running);
  states.doubtAll();
  assert.equal(states.find(b), undefined);
});

test('a doubt that comes before the answer outlives it, of a unit that nobody had asked for before too', () => {
  const states = new UnitStates();
  const askedAt = states.ask([a]);
  assert.equal(states.doubt([a]), true);
  states.learn(listing([a, running]), askedAt);
  assert.equal(states.find(a), undefined);
  states.learn(listing([a, failed]), states.ask([a]));
  assert.deepEqual(states.find(a), failed);
});

test('an answer that comes late does not replace a newer one', () => {
  const states = new UnitStates();
  const [first, second] = [states.ask([a]), states.ask([a])];
  states.learn(listing([a, failed]), second);
  assert.equal(states.learn(listing([a, running]), first), false);
  assert.deepEqual(states.find(a), failed);
});

test('a doubt about a unit is one about its other names', () => {
  const states = new UnitStates();
  const askedAt = states.ask([a]);
  states.learn({ ...listing([a, running]), aliases: new Map([[a, 'real.service']]) }, askedAt);
  assert.equal(states.doubt(['real.service']), true);
  assert.equal(states.find(a), undefined);
});

test('units that nobody asks for are forgotten in time', () => {
  const states = new UnitStates();
  states.learn(listing([a, running], [b, running]), states.ask([a, b]));
  states.doubtAll();
  states.learn(listing([a, running]), states.ask([a]));
  states.doubtAll();
  assert.equal(states.doubt([b]), false);
  assert.equal(states.doubt([a]), true);
});

test('only what differs from before has changed', () => {
  const states = new UnitStates();
  assert.equal(states.learn(listing([a, running]), states.ask([a])), false);
  assert.equal(states.learn(listing([a, { ...running }]), states.ask([a])), false);
  assert.equal(states.learn(listing([a, { ...running, job: 'stop' }]), states.ask([a])), true);
});
