import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LaunchState, MachineId } from '@flotilla/cluster';
import { parseUnitName, type UnitHash } from '@flotilla/unit';
import type { StateRecord, UnitRecord } from './records.js';
import {
  decideUnitChange,
  dependsOnStates,
  needsAnotherStart,
  type UnitBefore,
  type UnitContent,
} from './unit-change.js';

const name = parseUnitName('a.service');
const hash = (digit: string) => digit.repeat(40) as UnitHash;
const machine = (id: string) => id as MachineId;
const uid = 7;

function content(options: Partial<UnitContent> & { readonly digit?: string } = {}): UnitContent {
  const { digit = '1', ...rest } = options;
  return { file: new TextEncoder().encode(digit), hash: hash(digit), isGlobal: false, isVerbatim: false, ...rest };
}

function state(active: string, options: Partial<StateRecord> = {}): StateRecord {
  const systemd = { load: 'loaded', active, sub: '' };
  return { ...systemd, hash: hash('1'), uid, order: 1, isLaunched: true, since: 0, ...options };
}

function before(
  options: Partial<UnitRecord> & { readonly states?: Readonly<Record<string, StateRecord>> } = {},
): UnitBefore {
  const { states = {}, ...record } = options;
  return {
    record: { hash: hash('1'), file: 'f1', desiredState: 'inactive', order: 1, isGlobal: false, ...record },
    uid,
    placement: machine('m1'),
    states: new Map(Object.entries(states).map(([id, row]) => [machine(id), row])),
    readAt: 50,
  };
}

describe('a change to a unit', () => {
  const decide = (options: Omit<Parameters<typeof decideUnitChange>[1], 'fileKey'>, of = name) =>
    decideUnitChange(of, { fileKey: 'f1', ...options });

  test('that says where the unit runs makes it, and changes none that is there', () => {
    const change = { content: content(), desiredState: 'launched', runsOn: machine('m1') } as const;
    const made = decide({ change });
    assert.ok(made.kind === 'write');
    assert.deepEqual([made.effect, made.record.runsOn, made.record.order], ['created', 'm1', 1]);
    assert.deepEqual(decide({ change, before: before() }), { kind: 'refuse', why: 'present' });
  });

  test('that somebody makes ends what the unit said of where it runs', () => {
    const was = before({ desiredState: 'launched', runsOn: machine('m1') });
    for (const change of [{ desiredState: 'loaded' }, { content: content({ digit: '2' }) }] as const) {
      const made = decide({ change, before: was });
      assert.ok(made.kind === 'write' && !('runsOn' in made.record));
    }
  });

  test('of a unit that is not there needs content', () => {
    assert.deepEqual(decide({ change: { desiredState: 'launched' } }), { kind: 'refuse', why: 'absent' });
  });

  test('creates it inactive unless it says otherwise', () => {
    const expected = { hash: hash('1'), file: 'f1', desiredState: 'inactive', order: 0, isGlobal: false };
    const decision = decide({ change: { content: content() } });
    assert.deepEqual(decision, { kind: 'write', effect: 'created', record: expected, file: content().file });
    const launched = decide({ change: { content: content(), desiredState: 'launched' } });
    assert.ok(launched.kind === 'write');
    assert.deepEqual(launched.record, { ...expected, desiredState: 'launched', order: 1 });
  });

  test('replaces other content, makes it inactive, and keeps counting orders', () => {
    const replaced = decide({
      change: { content: content({ digit: '2' }) },
      before: before({ desiredState: 'launched', order: 4 }),
    });
    assert.ok(replaced.kind === 'write' && replaced.effect === 'replaced');
    assert.deepEqual([replaced.record.desiredState, replaced.record.order], ['inactive', 4]);
    const running = { content: content({ digit: '2' }), desiredState: 'launched' } as const;
    const launched = decide({
      change: running,
      before: before({ desiredState: 'launched', order: 4, states: { m1: state('active') } }),
    });
    assert.ok(launched.kind === 'write');
    assert.equal(launched.record.order, 5);
  });

  test('with the same content and no desired state asks nothing', () => {
    assert.deepEqual(decide({ change: { content: content() }, before: before() }), {
      kind: 'refuse',
      why: 'nothing-asked',
    });
    assert.deepEqual(decide({ change: {}, before: before() }), { kind: 'refuse', why: 'nothing-asked' });
  });

  test('with the same options and other comments keeps the state and stores the file', () => {
    const change = { content: content({ isVerbatim: true }) };
    const decision = decideUnitChange(name, { change, fileKey: 'f2', before: before({ desiredState: 'loaded' }) });
    assert.ok(decision.kind === 'write' && decision.effect === 'updated');
    assert.deepEqual(decision.record, before({ desiredState: 'loaded', file: 'f2' }).record);
    assert.deepEqual(decision.file, change.content.file);
  });

  test('with the same options and no file of its own leaves the stored comments alone', () => {
    const change = { content: content(), desiredState: 'loaded' } as const;
    const decision = decideUnitChange(name, { change, fileKey: 'f2', before: before() });
    assert.ok(decision.kind === 'write');
    assert.deepEqual([decision.record.file, decision.file], ['f1', undefined]);
  });

  test('to the state that is asked for already is no change', () => {
    const decision = decide({ change: { desiredState: 'loaded' }, before: before({ desiredState: 'loaded' }) });
    assert.ok(decision.kind === 'write');
    assert.equal(decision.effect, 'unchanged');
  });

  for (const desiredState of ['loaded', 'launched'] as const satisfies readonly LaunchState[])
    test(`does not make a template ${desiredState}, be it new, replaced or as it was`, () => {
      const template = parseUnitName('a@.service');
      const refusal = { kind: 'refuse', why: 'template' };
      assert.deepEqual(decide({ change: { content: content(), desiredState } }, template), refusal);
      assert.deepEqual(
        decide({ change: { content: content({ digit: '2' }), desiredState }, before: before() }, template),
        refusal,
      );
      assert.deepEqual(decide({ change: { desiredState }, before: before() }, template), refusal);
      assert.deepEqual(decide({ change: { desiredState } }, template), { kind: 'refuse', why: 'absent' });
    });

  test('may make a template inactive', () => {
    assert.equal(
      decide({ change: { desiredState: 'inactive' }, before: before() }, parseUnitName('a@.service')).kind,
      'write',
    );
  });
});

describe('asking for launched', () => {
  const launched = (states: Readonly<Record<string, StateRecord>>, options: Partial<UnitRecord> = {}) =>
    before({ desiredState: 'launched', states, ...options });
  const rows: readonly { says: string; before: UnitBefore; starts: boolean }[] = [
    { says: 'starts a unit that was inactive', before: before(), starts: true },
    {
      says: 'starts a unit that was loaded, whatever it does',
      before: before({ desiredState: 'loaded', states: { m1: state('active') } }),
      starts: true,
    },
    ...['active', 'activating', 'reloading'].map((active) => ({
      says: `leaves a unit alone that is ${active}`,
      before: launched({ m1: state(active) }),
      starts: false,
    })),
    ...['inactive', 'failed', 'deactivating'].map((active) => ({
      says: `starts a unit again that is ${active}`,
      before: launched({ m1: state(active) }),
      starts: true,
    })),
    {
      says: 'leaves a unit to an order that is still to be carried out',
      before: launched({ m1: state('failed', { order: 1 }) }, { order: 2 }),
      starts: false,
    },
    { says: 'leaves a unit to its first start that has no state yet', before: launched({}), starts: false },
    {
      says: 'does not look at machines that the unit has left',
      before: launched({ m2: state('active'), m1: state('failed') }),
      starts: true,
    },
    {
      says: 'does not look at states of an earlier unit of the same name',
      before: launched({ m1: state('failed', { uid: 3 }) }),
      starts: false,
    },
    {
      says: 'leaves a global unit alone that is active somewhere',
      before: launched({ m2: state('active'), m3: state('failed') }, { isGlobal: true }),
      starts: false,
    },
    {
      says: 'starts a global unit again that is active nowhere',
      before: launched({ m2: state('failed'), m3: state('inactive') }, { isGlobal: true }),
      starts: true,
    },
    {
      says: 'leaves a global unit to an order that is still to be carried out somewhere',
      before: launched({ m2: state('failed'), m3: state('inactive', { order: 0 }) }, { isGlobal: true }),
      starts: false,
    },
  ];
  for (const row of rows)
    test(row.says, () => {
      assert.equal(needsAnotherStart(row.before), row.starts);
      const decision = decideUnitChange(name, {
        change: { desiredState: 'launched' },
        fileKey: '',
        before: row.before,
      });
      assert.ok(decision.kind === 'write');
      const { order, isGlobal } = row.before.record;
      const next = isGlobal ? row.before.readAt + 1 : order + 1;
      assert.equal(decision.record.order, row.starts ? next : order);
    });
});

describe('asking for loaded', () => {
  const running = state('active', { order: 0, isLaunched: false });
  const rows = [
    { says: 'stops a unit that somebody has started on its host', states: { m1: running }, isStopped: true },
    { says: 'leaves a unit that is at rest', states: { m1: state('inactive', { order: 0 }) }, isStopped: false },
    { says: 'leaves a unit that is stopping', states: { m1: state('deactivating') }, isStopped: false },
    { says: 'does not look at machines that the unit has left', states: { m2: running }, isStopped: false },
    { says: 'does not look at an earlier unit', states: { m1: { ...running, uid: 3 } }, isStopped: false },
    { says: 'stops a global unit wherever it runs', states: { m2: running }, isGlobal: true, isStopped: true },
  ];
  for (const { says, states, isGlobal = false, isStopped } of rows)
    test(says, () => {
      const was = before({ desiredState: 'loaded', isGlobal, states });
      const change = { desiredState: 'loaded' } as const;
      assert.ok(dependsOnStates(change, was.record));
      const decision = decideUnitChange(name, { change, fileKey: '', before: was });
      assert.ok(decision.kind === 'write');
      const next = isGlobal ? 51 : 2;
      assert.deepEqual([decision.effect, decision.record.order], isStopped ? ['updated', next] : ['unchanged', 1]);
    });

  test('with a file is no order to stop what others started', () => {
    const was = before({ desiredState: 'loaded', states: { m1: running } });
    const change = { desiredState: 'loaded', content: content({ isVerbatim: true }) } as const;
    const decision = decideUnitChange(name, { change, fileKey: 'f2', before: was });
    assert.ok(decision.kind === 'write');
    assert.deepEqual([decision.effect, decision.record.order], ['updated', 1]);
  });

  test('of a unit that was to run is the order itself', () => {
    const was = before({ desiredState: 'launched', states: { m1: state('active') } });
    const decision = decideUnitChange(name, { change: { desiredState: 'loaded' }, fileKey: '', before: was });
    assert.ok(decision.kind === 'write');
    assert.equal(decision.record.order, 1);
  });
});
