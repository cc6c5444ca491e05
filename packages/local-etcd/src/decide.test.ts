import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import { type Decision, decide, explainRefusal, type Facts, isTrusted, type Listener, type Refusal } from './decide.js';

/** A fresh host on which etcd is installed and nothing else is to be seen, not yet listened to. */
const fresh: Facts = {
  isTold: false,
  mode: 'auto',
  isInUse: false,
  listeners: [],
  ownUid: 0,
  hasListened: false,
  remembered: undefined,
  hasOldData: false,
  enabledUnit: undefined,
  program: '/usr/bin/etcd',
  isPathShort: true,
};

const at = 'http://127.0.0.1:2379';
const answering: readonly Listener[] = [{ at, uid: 0 }];
const stranger: Listener = { at: 'http://127.0.0.1:4001', uid: 1000 };
const remembered = 'assignment.json names cluster 1';
const enabledUnit = 'etcd.service';
const refuse = (because: Refusal): Decision => ({ kind: 'refuse', because });
const start = (why: 'in-use' | 'silent'): Decision => ({ kind: 'start', program: '/usr/bin/etcd', why });

const cases: readonly (readonly [title: string, facts: Partial<Facts>, decision: Decision])[] = [
  ['a fresh host listens first', {}, { kind: 'listen' }],
  ['a fresh host that stayed silent has one of its own', { hasListened: true }, start('silent')],
  ['what answers is used', { listeners: answering }, { kind: 'answered', at }],
  ['what answers while it listens is used', { listeners: answering, hasListened: true }, { kind: 'answered', at }],
  ['who is told of an etcd has none of its own', { isTold: true, hasListened: true }, { kind: 'told' }],
  ['not even one that it had', { isTold: true, isInUse: true }, { kind: 'told' }],
  ['what a user has put there is not used', { listeners: [stranger] }, { kind: 'listen' }],
  ['and counts for silence', { listeners: [stranger], hasListened: true }, start('silent')],
  [
    'nor does it become the store where none is started',
    { listeners: [stranger], mode: 'never' },
    refuse({ kind: 'never' }),
  ],
  ['what belongs to the host is used beside it', { listeners: [stranger, ...answering] }, { kind: 'answered', at }],
  ['a user may use the own one', { listeners: [stranger], ownUid: 1000 }, { kind: 'answered', at: stranger.at }],
  ['never is never', { mode: 'never', hasListened: true }, refuse({ kind: 'never' })],
  ['even if it had one', { mode: 'never', isInUse: true }, refuse({ kind: 'never' })],
  ['never does not keep from using what answers', { mode: 'never', listeners: answering }, { kind: 'answered', at }],
  ['its own one is brought up again at once', { isInUse: true, remembered, hasOldData: true }, start('in-use')],
  ['and wins over others', { isInUse: true, listeners: answering, enabledUnit }, start('in-use')],
  [
    'but needs the program',
    { isInUse: true, program: undefined, listeners: answering },
    refuse({ kind: 'no-program' }),
  ],
  ['a store that is remembered has no second', { remembered }, refuse({ kind: 'other-store', remembered })],
  ['not after silence either', { remembered, hasListened: true }, refuse({ kind: 'other-store', remembered })],
  ['an old store is not taken up by itself', { hasOldData: true }, refuse({ kind: 'old-data' })],
  ['an etcd that is to start is waited for', { enabledUnit }, refuse({ kind: 'enabled-unit', unit: enabledUnit })],
  ['without the program there is none', { program: undefined }, refuse({ kind: 'no-program' })],
  ['a socket needs a short path', { isPathShort: false }, refuse({ kind: 'long-path' })],
];

describe('whether a host has an etcd of its own', () => {
  for (const [title, facts, decision] of cases) {
    it(title, () => assert.deepEqual(decide({ ...fresh, ...facts }), decision));
  }
});

test('a listener is trusted if it belongs to the host or to who asks', () => {
  const trusted: readonly (readonly [uid: number | undefined, ownUid: number, isTrusted: boolean])[] = [
    [0, 0, true],
    [999, 0, true],
    [1000, 0, false],
    [65_534, 0, false],
    [undefined, 0, false],
    [0, 1000, true],
    [1000, 1000, true],
    [1001, 1000, false],
  ];
  for (const [uid, ownUid, expected] of trusted) assert.equal(isTrusted({ at, uid }, ownUid), expected, `${uid}`);
});

test('no combination of facts starts a second store beside one that may be there', () => {
  const values: { readonly [name in keyof Facts]: readonly Facts[name][] } = {
    isTold: [false, true],
    mode: ['auto', 'never'],
    isInUse: [false, true],
    listeners: [[], answering, [stranger]],
    ownUid: [0],
    hasListened: [false, true],
    remembered: [undefined, remembered],
    hasOldData: [false, true],
    enabledUnit: [undefined, enabledUnit],
    program: [undefined, '/usr/bin/etcd'],
    isPathShort: [false, true],
  };
  let all: Facts[] = [fresh];
  for (const [name, each] of Object.entries(values)) {
    all = all.flatMap((facts) => each.map((value) => ({ ...facts, [name]: value })));
  }
  assert.equal(all.length, 1536);
  const started = all.filter((facts) => decide(facts).kind === 'start');
  assert.ok(started.length > 0);
  for (const facts of started) {
    assert.equal(facts.isTold || facts.mode === 'never' || facts.program === undefined, false);
    if (facts.isInUse) continue;
    const others = [facts.listeners.find(({ uid }) => uid === 0), facts.remembered, facts.enabledUnit];
    assert.deepEqual([facts.hasListened, facts.hasOldData, ...others], [true, false, undefined, undefined, undefined]);
  }
});

test('each refusal says why, and what to do', () => {
  for (const [, , decision] of cases) {
    if (decision.kind !== 'refuse') continue;
    const { because, hint } = explainRefusal(decision.because, '/var/lib/fleet/etcd');
    assert.match(`${because}; ${hint}`, /^[a-z/].{20,}$/);
  }
  const { because, hint } = explainRefusal({ kind: 'other-store', remembered }, '/var/lib/fleet/etcd');
  assert.equal(because, 'this machine has another store already: assignment.json names cluster 1');
  assert.match(hint, /touch \/var\/lib\/fleet\/etcd\/in-use$/);
});
