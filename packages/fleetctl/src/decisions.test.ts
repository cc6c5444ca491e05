import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UnitEntity, UnitStateEntity } from '@flotilla/schema';
import { hashUnitFile, parseUnitFile } from '@flotilla/unit';
import { type CreationInput, type CreationStep, decideCreation } from './creation.js';
import {
  type Expectation,
  judge,
  mayEnd,
  type Observation,
  queuedMs,
  queuedOneshotMs,
  staleMs,
  type Verdict,
} from './verdict.js';

const machineID = '1111111111111111aaaaaaaaaaaaaaaa';
const placed: UnitEntity = { name: 'web.service', desiredState: 'launched', currentState: 'launched', machineID };
const running: UnitStateEntity = {
  name: 'web.service',
  machineID,
  hash: 'new',
  since: 1,
  systemdLoadState: 'loaded',
  systemdActiveState: 'active',
  systemdSubState: 'running',
};
const state = (systemdActiveState: string, more: Partial<UnitStateEntity> = {}) => ({
  ...running,
  systemdActiveState,
  ...more,
});
const failed = state('failed', { systemdSubState: 'failed' });
const launched: Expectation = { name: 'web.service', goal: 'launched', hash: 'new' };
const ordered = { expects: { ...launched, order: 3 } };
const oneshot: Expectation = { ...launched, isOneshot: true };

interface Case {
  readonly says: string;
  readonly expects?: Expectation;
  readonly unit?: UnitEntity | undefined;
  readonly states?: readonly UnitStateEntity[];
  readonly seen?: Partial<Observation>;
  readonly verdict: Verdict['kind'];
}

const cases: readonly Case[] = [
  { says: 'an active unit is launched', verdict: 'reached' },
  { says: 'a unit without a machine waits', unit: { ...placed, machineID: '' }, states: [], verdict: 'waiting' },
  { says: 'a unit without a row waits', states: [], verdict: 'waiting' },
  {
    says: 'a row of another machine does not count',
    states: [state('active', { machineID: 'other' })],
    verdict: 'waiting',
  },
  { says: 'a row of an old copy does not count', states: [state('active', { hash: 'old' })], verdict: 'waiting' },
  {
    says: 'an old copy ends the wait if somebody else has put other content in place of the new one',
    unit: { ...placed, options: [{ section: 'Service', name: 'ExecStart', value: '/bin/other' }] },
    states: [state('active', { hash: 'old' })],
    verdict: 'failed',
  },
  { says: 'a unit that is not launched yet waits', unit: { ...placed, currentState: 'loaded' }, verdict: 'waiting' },
  {
    says: 'a copy from before the restart does not count',
    ...ordered,
    states: [state('active', { order: 2 })],
    verdict: 'waiting',
  },
  { says: 'a later restart counts as well', ...ordered, states: [state('active', { order: 4 })], verdict: 'reached' },
  { says: 'a restart that fails has failed', ...ordered, states: [{ ...failed, order: 3 }], verdict: 'failed' },
  {
    says: 'a restart that is refused has failed, though the old copy runs',
    ...ordered,
    states: [state('active', { order: 2, error: 'masked' })],
    verdict: 'failed',
  },
  {
    says: 'a global unit is judged on the machine that is meant',
    expects: { ...ordered.expects, machineID: 'other' },
    unit: { name: 'web.service', desiredState: 'launched', currentState: 'inactive' },
    states: [state('active', { order: 3 }), state('failed', { order: 3, machineID: 'other' })],
    verdict: 'failed',
  },
  { says: 'a failed unit has failed', states: [failed], verdict: 'failed' },
  { says: 'an old failure waits', expects: { ...launched, before: [failed] }, states: [failed], verdict: 'waiting' },
  {
    says: 'an old failure that stays is the answer after all',
    expects: { ...launched, before: [failed] },
    states: [failed],
    seen: { unchangedMs: staleMs },
    verdict: 'failed',
  },
  {
    says: 'a failure that is new since then counts at once',
    expects: { ...launched, before: [failed] },
    states: [{ ...failed, since: 2 }],
    verdict: 'failed',
  },
  {
    says: 'so does one that looks the same, but comes of a later start',
    expects: { ...launched, before: [{ ...failed, order: 1 }] },
    states: [{ ...failed, order: 2 }],
    verdict: 'failed',
  },
  {
    says: 'an error counts before the unit is launched',
    unit: { ...placed, currentState: 'inactive' },
    states: [state('inactive', { error: 'no' })],
    verdict: 'failed',
  },
  {
    says: 'an error of a unit that runs all the same does not',
    states: [state('active', { error: 'no' })],
    verdict: 'reached',
  },
  {
    says: 'a file that systemd refuses has failed',
    states: [state('inactive', { systemdLoadState: 'bad-setting' })],
    verdict: 'failed',
  },
  { says: 'an activating unit waits', states: [state('activating')], verdict: 'waiting' },
  {
    says: 'an activating oneshot unit is launched',
    expects: oneshot,
    states: [state('activating')],
    verdict: 'reached',
  },
  {
    says: 'a oneshot unit between two tries waits',
    expects: oneshot,
    states: [state('activating', { systemdSubState: 'auto-restart' })],
    verdict: 'waiting',
  },
  { says: 'an inactive unit may be queued', states: [state('inactive')], verdict: 'waiting' },
  {
    says: 'an inactive unit that has run has ended',
    states: [state('inactive')],
    seen: { hasRun: true },
    verdict: 'reached',
  },
  {
    says: 'an inactive unit that stays so has ended',
    states: [state('inactive')],
    seen: { unchangedMs: queuedMs },
    verdict: 'reached',
  },
  {
    says: 'a oneshot unit is given less time',
    expects: oneshot,
    states: [state('inactive')],
    seen: { unchangedMs: queuedOneshotMs },
    verdict: 'reached',
  },
  { says: 'a unit that is destroyed meanwhile has failed', unit: undefined, verdict: 'failed' },
  {
    says: 'a unit that somebody stops meanwhile has failed',
    unit: { ...placed, desiredState: 'loaded' },
    verdict: 'failed',
  },
  {
    says: 'a unit that runs is not stopped',
    expects: { name: 'web.service', goal: 'stopped' },
    unit: { ...placed, desiredState: 'loaded' },
    verdict: 'waiting',
  },
  {
    says: 'a unit that is stopping is not stopped',
    expects: { name: 'web.service', goal: 'stopped' },
    unit: { ...placed, desiredState: 'loaded', currentState: 'loaded' },
    states: [state('deactivating')],
    verdict: 'waiting',
  },
  {
    says: 'a unit that runs nowhere is stopped',
    expects: { name: 'web.service', goal: 'stopped' },
    unit: { ...placed, desiredState: 'loaded', currentState: 'inactive' },
    states: [],
    verdict: 'reached',
  },
  {
    says: 'a failed unit is stopped',
    expects: { name: 'web.service', goal: 'stopped' },
    unit: { ...placed, desiredState: 'loaded', currentState: 'loaded' },
    states: [failed],
    verdict: 'reached',
  },
  {
    says: 'a unit with a row is not unloaded',
    expects: { name: 'web.service', goal: 'inactive' },
    unit: { ...placed, desiredState: 'inactive', currentState: 'inactive' },
    states: [state('inactive')],
    verdict: 'waiting',
  },
  {
    says: 'a registered unit is not gone',
    expects: { name: 'web.service', goal: 'gone' },
    states: [],
    verdict: 'waiting',
  },
  {
    says: 'a unit with a row is not gone',
    expects: { name: 'web.service', goal: 'gone' },
    unit: undefined,
    verdict: 'waiting',
  },
  {
    says: 'a unit without either is gone',
    expects: { name: 'web.service', goal: 'gone' },
    unit: undefined,
    states: [],
    verdict: 'reached',
  },
];

const wantedState = ({ goal }: Expectation) => (goal === 'stopped' ? 'loaded' : goal);

test('who waits for a unit to be gone is told what keeps it', () => {
  const gone: Expectation = { name: 'web.service', goal: 'gone' };
  const states = [state('active', { error: 'Operation refused' })];
  const verdict = judge(gone, { unit: undefined, states, unchangedMs: 0, hasRun: false });
  assert.match('why' in verdict ? verdict.why : '', /still active \(running\) on 11111111\.\.\.: Operation refused/);
});

test('states that are not there yet, or not the wanted ones, need no look at the unit', () => {
  const seen = { unchangedMs: 0, hasRun: false };
  assert.ok(!mayEnd(launched, { ...seen, states: [] }));
  assert.ok(!mayEnd(launched, { ...seen, states: [state('activating')] }));
  assert.ok(!mayEnd(launched, { ...seen, states: [state('active', { hash: 'old' })] }));
  assert.ok(!mayEnd({ name: 'web.service', goal: 'gone' }, { ...seen, states: [running] }));
  assert.ok(
    mayEnd(launched, { ...seen, states: [state('active', { hash: 'old' }), { ...failed, machineID: 'other' }] }),
  );
});

for (const { says, expects = launched, states = [running], seen = {}, verdict, ...rest } of cases)
  test(says, () => {
    const { machineID: machine, ...nowhere } = placed;
    let unit = 'unit' in rest ? rest.unit : placed;
    if (unit?.machineID === '') unit = nowhere;
    assert.ok(machine);
    const judged = judge(expects, { unit, states, unchangedMs: 0, hasRun: false, ...seen });
    assert.equal(judged.kind, verdict, JSON.stringify(judged));
    // Units are read only where the states may be the end, so none may end without: but for what others do to a unit.
    const isAlone = unit === undefined ? expects.goal === 'gone' : unit.desiredState === wantedState(expects);
    if (verdict !== 'waiting' && isAlone && unit?.options === undefined)
      assert.ok(mayEnd(expects, { states, unchangedMs: 0, hasRun: false, ...seen }));
  });

test('an old copy whose turn to be replaced has not come says so', () => {
  const states = [state('active', { hash: 'old', waitsFor: 'turn' })];
  const verdict = judge(launched, { unit: placed, states, unchangedMs: 0, hasRun: false });
  assert.ok(verdict.kind === 'waiting' && verdict.why.endsWith(', until it is its turn (Update=rolling)'));
});

test('a unit that waits for a machine gives the reason of the API', () => {
  const { machineID: _, ...unit } = placed;
  const verdict = judge(launched, { unit: { ...unit, reason: 'no db' }, states: [], unchangedMs: 0, hasRun: false });
  assert.deepEqual(verdict, { kind: 'waiting', why: 'no db' });
});

const hash = (text: string) => hashUnitFile(parseUnitFile(`[Service]\nExecStart=/bin/${text}\n`));
const [a, b, c] = [hash('a'), hash('b'), hash('c')];
const base = {
  verb: 'start',
  name: 'web@1.service',
  path: 'web@1.service',
  fullPath: '/x/web@1.service',
  isReplacing: false,
} as const;
const own = { kind: 'unit', hash: b, path: 'web@1.service' } as const;
const template = { kind: 'template', hash: b, path: 'web@.service' } as const;
const storedTemplate = { name: 'web@.service', hash: c };
const stored = { desiredState: 'launched', hash: a } as const;

const creations: readonly [string, Partial<CreationInput>, Partial<CreationStep>, warnings: number][] = [
  ['its own file comes first', { local: own, storedTemplate }, { action: 'put', from: 'local' }, 0],
  [
    'then the template in the registry',
    { local: template, storedTemplate },
    { action: 'put', from: 'stored-template' },
    1,
  ],
  ['then the local template', { local: template }, { action: 'put', from: 'local' }, 0],
  ['without any there is nothing to create', {}, { action: 'lack' }, 1],
  ['a registered unit is kept', { stored }, { action: 'keep' }, 0],
  ['a registered unit that differs is kept with a warning', { stored, local: own }, { action: 'keep' }, 1],
  [
    'a registered unit that differs is replaced when asked',
    { stored, local: own, isReplacing: true },
    { action: 'put', from: 'local' },
    0,
  ],
  [
    'the local template replaces an instance',
    { stored, local: template, isReplacing: true, storedTemplate },
    { action: 'put', from: 'local' },
    0,
  ],
  [
    'the registered template replaces an instance',
    { stored, isReplacing: true, storedTemplate },
    { action: 'put', from: 'stored-template' },
    0,
  ],
  ['load does not replace what runs', { verb: 'load', stored, local: own, isReplacing: true }, { action: 'refuse' }, 2],
  ['equal content is not replaced', { stored, local: { ...own, hash: a }, isReplacing: true }, { action: 'keep' }, 0],
  ['nothing can not replace', { stored, isReplacing: true }, { action: 'lack' }, 1],
];

for (const [says, input, step, warnings] of creations)
  test(`creation: ${says}`, () => {
    const decided = decideCreation({ ...base, ...input });
    assert.equal(decided.action, step.action);
    assert.equal(decided.from, step.from);
    assert.equal(decided.warnings?.length ?? 0, warnings);
  });
