import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashUnitFile, parseUnitName, type UnitName } from '@flotilla/unit';
import fc from 'fast-check';
import { type CurrentUnit, motion } from './current.js';
import type { DesiredUnit } from './desired.js';
import { reconcile, type Task } from './reconcile.js';

const hashes = ['x', 'y'].map((value) => hashUnitFile({ options: [{ section: 'Unit', name: 'Description', value }] }));
const [hash = hashUnitFile({ options: [] })] = hashes;
const names = ['a', 'b', 'c', 'd'].map((name) => parseUnitName(`${name}.service`));

const statuses = fc.oneof(
  fc.record({
    load: fc.constantFrom('loaded', 'not-found'),
    active: fc.constantFrom('active', 'inactive', 'failed', 'activating', 'deactivating'),
    sub: fc.constant(''),
    job: fc.constantFrom(undefined, 'start', 'stop', 'restart'),
  }),
);
const currents: fc.Arbitrary<CurrentUnit> = fc.record({
  file: fc.option(fc.record({ hash: fc.constantFrom(undefined, ...hashes), sha256: fc.constantFrom('f', 'g') }), {
    nil: undefined,
  }),
  status: statuses,
  started: fc.option(fc.record({ uid: fc.nat(2), order: fc.nat(2) }), { nil: undefined }),
  isHeld: fc.constant(false),
});
const desireds: fc.Arbitrary<DesiredUnit> = fc.oneof(
  fc.record({
    kind: fc.constant('present' as const),
    isLaunched: fc.boolean(),
    hash: fc.constantFrom(...hashes),
    file: fc.constant('f'),
    uid: fc.nat(2),
    order: fc.nat(2),
  }),
  fc.constant({ kind: 'absent', why: 'removed', hash, uid: 1 } as const),
  fc.constant({ kind: 'untouched', why: 'unconfirmed', hash, uid: 1 } as const),
);
const worlds = fc.array(fc.tuple(desireds, currents), { minLength: 1, maxLength: names.length }).map((pairs) => {
  const desired = new Map<UnitName, DesiredUnit>();
  const current = new Map<UnitName, CurrentUnit>();
  for (const [index, [wish, unit]] of pairs.entries()) {
    const name = names[index];
    if (name === undefined) continue;
    desired.set(name, wish);
    current.set(name, unit);
  }
  return { desired, current };
});

const resting = { load: 'loaded', active: 'inactive', sub: '', job: undefined };
const up = { load: 'loaded', active: 'active', sub: '', job: undefined };

/** What a systemd that does as it is told makes of a task. */
function after(unit: CurrentUnit, { kind }: Task, wish: DesiredUnit): CurrentUnit {
  const started = wish.kind === 'present' ? { uid: wish.uid, order: wish.order } : undefined;
  switch (kind) {
    case 'stop':
      return { ...unit, status: { ...unit.status, active: 'inactive', job: undefined }, started: undefined };
    case 'unload':
      return { ...unit, file: undefined, status: { ...resting, load: 'not-found' }, started: undefined };
    case 'load':
      return { ...unit, file: { hash: wish.hash, sha256: 'f' }, status: { ...unit.status, load: 'loaded' } };
    case 'adopt':
      return { ...unit, started };
    case 'restart':
    case 'start':
      assert.ok(unit.file !== undefined && unit.status.load === 'loaded', 'started before it was loaded');
      return { ...unit, status: up, started };
  }
}

/** Time passes: what is stopping has stopped, what was queued has run. */
function settle(unit: CurrentUnit): CurrentUnit {
  const { status } = unit;
  switch (motion(status)) {
    case 'stopping':
      return { ...unit, status: { ...status, active: 'inactive', job: undefined } };
    case 'running':
      return { ...unit, status: { ...status, active: 'active', job: undefined } };
    case 'at-rest':
      return unit;
  }
}

type World = { desired: Map<UnitName, DesiredUnit>; current: Map<UnitName, CurrentUnit> };

function pass({ desired, current }: World): World {
  const next = new Map(current);
  for (const task of reconcile(desired, current)) {
    const [unit, wish] = [next.get(task.unit), desired.get(task.unit)];
    if (unit !== undefined && wish !== undefined) next.set(task.unit, after(unit, task, wish));
  }
  for (const [name, unit] of next) next.set(name, settle(unit));
  return { desired, current: next };
}

test('a few passes bring every world to rest, as it is wanted', () => {
  fc.assert(
    fc.property(worlds, (world) => {
      let now: World = { ...world, current: new Map([...world.current].map(([name, unit]) => [name, settle(unit)])) };
      for (let count = 0; count < 4; count++) now = pass(now);
      assert.deepEqual(reconcile(now.desired, now.current), []);
      for (const [name, wish] of now.desired) {
        const unit = now.current.get(name);
        if (wish.kind === 'present') assert.equal(unit?.file?.hash, wish.hash, 'has the wanted content');
        if (wish.kind === 'absent') assert.equal(unit?.file, undefined, 'is gone');
        if (wish.kind === 'untouched')
          assert.deepEqual(unit, settle(world.current.get(name) ?? fail()), 'is untouched');
      }
    }),
    { numRuns: 500 },
  );
});

test('no file is taken from under a unit that runs', () => {
  fc.assert(
    fc.property(worlds, ({ desired, current }) => {
      for (const { kind, unit: name } of reconcile(desired, current)) {
        const [unit, wish] = [current.get(name), desired.get(name)];
        if (unit === undefined || motion(unit.status) === 'at-rest') continue;
        assert.notEqual(kind, 'unload');
        if (kind === 'load' && unit.file !== undefined) assert.equal(unit.file.hash, wish?.hash);
      }
    }),
    { numRuns: 500 },
  );
});

function fail(): never {
  assert.fail('a unit has vanished');
}
