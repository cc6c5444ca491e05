import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Causes, forbiddenOverlaps, unexplainedEnds } from './explain.js';
import { overlaps, type Run, readRuns } from './runs.js';

const unit = 'test-plain-1.service';
const host = 'host-1';
const calm: Causes = { outages: [], asked: [], moves: [], kills: [] };
const run: Run = { unit, host, startMs: 1_000, endMs: 60_000, result: 'success' };
const cut = { host, kind: 'out', what: 'network-cut', fromMs: 40_000, toMs: 50_000 } as const;
const move = { unit, from: host, to: 'host-2' };

const whyOf = (ended: Partial<Run>, causes: Partial<Causes>) =>
  unexplainedEnds([{ ...run, ...ended }], { ...calm, ...causes })[0]?.why;

test('a stop that nobody asked for has no explanation', () => {
  assert.match(whyOf({}, {}) ?? '', /nothing was asked of it, and it was not moved/);
});

const explained: Readonly<Record<string, readonly [Partial<Run>, Partial<Causes>]>> = {
  'it runs yet': [{ endMs: undefined, result: undefined }, {}],
  'it was asked for something': [{}, { asked: [{ unit, atMs: 59_000 }] }],
  'it was to be restarted, and fleetd ended when it had been': [
    {},
    {
      asked: [{ unit, atMs: 500, isRestart: true }],
      outages: [{ ...cut, what: 'fleetd-kill', fromMs: 59_000, toMs: 59_500 }],
    },
  ],
  'its host was going down': [{}, { outages: [{ ...cut, kind: 'down', fromMs: 59_000, toMs: 61_000 }] }],
  'its host lost power': [{ result: 'power-cut' }, {}],
  'it was moved, as its host was out of contact': [{}, { outages: [cut], moves: [move] }],
  'it follows a unit that was moved': [
    { unit: 'test-side-1.service' },
    { moves: [{ ...move, unit: 'test-side-1.service' }, move] },
  ],
  'it was killed': [{ result: 'signal' }, { kills: [{ unit, host, atMs: 59_500 }] }],
  'it must not run twice, and its host was cut off': [
    { unit: 'test-once-1.service', endMs: 44_000 },
    { outages: [cut] },
  ],
  'it was killed as it took too long for that': [
    { unit: 'test-once-3.service', endMs: 46_000, result: 'signal' },
    { outages: [cut] },
  ],
  'it ends by itself': [{ unit: 'test-failing-1.service', result: 'exit-code' }, {}],
};
for (const [title, [ended, causes]] of Object.entries(explained))
  test(`there is an explanation if ${title}`, () => assert.equal(whyOf(ended, causes), undefined));

const unexplained: Readonly<Record<string, readonly [Partial<Run>, Partial<Causes>, RegExp]>> = {
  'it was asked for something only later': [{}, { asked: [{ unit, atMs: 61_000 }] }, /nothing was asked/],
  'another one was asked': [{}, { asked: [{ unit: 'test-plain-2.service', atMs: 1_000 }] }, /nothing was asked/],
  'its host was out of contact, and it was not moved': [{}, { outages: [cut] }, /nothing was asked/],
  'it was moved, though its host was in contact': [{}, { moves: [move] }, /never out of contact/],
  'it was moved after a short cut': [
    {},
    { moves: [move], outages: [{ ...cut, toMs: 42_000 }] },
    /never out of contact/,
  ],
  'it was moved off another host': [{}, { moves: [{ ...move, from: 'host-2' }], outages: [cut] }, /nothing was asked/],
  'its host went down at another time': [{}, { outages: [{ ...cut, kind: 'down' }] }, /nothing was asked/],
  'it must not run twice, and its host was in contact yet': [
    { unit: 'test-once-1.service', endMs: 40_500 },
    { outages: [cut] },
    /nothing was asked/,
  ],
  'it must not run twice, and its host was cut off for a moment': [
    { unit: 'test-once-1.service', endMs: 44_000 },
    { outages: [{ ...cut, toMs: 41_000 }] },
    /nothing was asked/,
  ],
  'it was killed on another host': [
    { result: 'signal' },
    { kills: [{ unit, host: 'host-2', atMs: 59_500 }] },
    /crashed/,
  ],
  'it was killed long ago': [{ result: 'signal' }, { kills: [{ unit, host, atMs: 9_500 }] }, /crashed/],
  'it crashed by itself': [{ result: 'exit-code' }, {}, /crashed/],
  'it was started anew without a stop': [{ result: 'again' }, {}, /"again"/],
  'it did not stop in time': [{ result: 'timeout' }, { asked: [{ unit, atMs: 59_000 }] }, /"timeout"/],
};
for (const [title, [ended, causes, why]] of Object.entries(unexplained))
  test(`there is none if ${title}`, () => assert.match(whyOf(ended, causes) ?? '', why));

test('one operation, and one move, explain one stop', () => {
  const runs = [run, { ...run, startMs: 61_000, endMs: 62_000 }];
  const once: Causes = { ...calm, asked: [{ unit, atMs: 59_000 }] };
  assert.equal(unexplainedEnds(runs, once).length, 1);
  assert.equal(unexplainedEnds(runs, { ...calm, outages: [cut], moves: [move] }).length, 1);
  assert.equal(unexplainedEnds(runs, { ...once, outages: [cut], moves: [move] }).length, 0);
});

const notes = `1.0 host-1 ${unit} start - id
2.5 host-1 ${unit} stop success id
3.0 host-1 ${unit} start - id
4.0 host-2 ${unit} start - id
4.5 host-2 test-other.service start - id
`;

test('notes of all hosts make runs, which a power cut ends', () => {
  const [first, second, third, other] = readRuns(notes, [{ host: 'host-1', atMs: 5_000 }]);
  assert.deepEqual(first, { unit, host: 'host-1', startMs: 1_000, endMs: 2_500, result: 'success' });
  assert.deepEqual(second, { unit, host: 'host-1', startMs: 3_000, endMs: 5_000, result: 'power-cut' });
  assert.deepEqual(third, { unit, host: 'host-2', startMs: 4_000, endMs: undefined, result: undefined });
  assert.equal(other?.endMs, undefined);
  const [torn] = readRuns(`${notes}6.0 host-2 ${unit} start - id\n`, []).filter(({ result }) => result === 'again');
  assert.equal(torn?.endMs, 6_000);
});

test('two copies are forbidden unless the host of one was out of contact', () => {
  const [overlap, ...more] = overlaps(readRuns(notes, []), 10_000);
  assert.ok(overlap !== undefined && more.length === 0);
  assert.equal(overlap.lengthMs, 6_000);
  assert.equal(forbiddenOverlaps([overlap], []).length, 1);
  assert.equal(forbiddenOverlaps([overlap], [{ ...cut, fromMs: -2_000, toMs: 3_500 }]).length, 0);
  assert.equal(forbiddenOverlaps([overlap], [{ ...cut, fromMs: 1_000, toMs: 3_500 }]).length, 1);
  assert.equal(forbiddenOverlaps([overlap], [{ ...cut, host: 'host-2', fromMs: -2_000, toMs: 3_500 }]).length, 0);
  assert.equal(forbiddenOverlaps([overlap], [{ ...cut, host: 'host-3', fromMs: -2_000, toMs: 3_500 }]).length, 1);
  const once = { ...overlap, older: { ...overlap.older, unit: 'test-once-1.service' } };
  const before = { ...cut, fromMs: -2_000, toMs: 3_500 };
  assert.equal(forbiddenOverlaps([once], [before]).length, 1);
  assert.equal(forbiddenOverlaps([once], [{ ...before, what: 'fleetd-freeze' }]).length, 0);
  const left = { ...before, kind: 'down' as const, what: 'leave' };
  assert.equal(forbiddenOverlaps([once], [left]).length, 1);
  assert.equal(forbiddenOverlaps([once], [{ ...before, fromMs: -2_100, what: 'fleetd-restart' }, left]).length, 0);
  const everywhere = { ...overlap, older: { ...overlap.older, unit: 'test-global-1.service' } };
  assert.equal(forbiddenOverlaps([everywhere], []).length, 0);
});
