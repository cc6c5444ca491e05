import assert from 'node:assert/strict';
import { hashUnitFile, parseUnitName, type UnitName } from '@flotilla/unit';
import fc from 'fast-check';
import { type CurrentUnit, motion } from './current.js';
import type { DesiredUnit } from './desired.js';
import type { Task } from './reconcile.js';

const hashes = ['x', 'y'].map((value) => hashUnitFile({ options: [{ section: 'Unit', name: 'Description', value }] }));
const [hash = hashUnitFile({ options: [] })] = hashes;
/** Of the units in {@link worlds}. */
export const names = ['a', 'b', 'c', 'd'].map((name) => parseUnitName(`${name}.service`));

const activeStates = [
  'active',
  'inactive',
  'failed',
  'activating',
  'deactivating',
  'reloading',
  'maintenance',
] as const;
const statuses = fc.oneof(
  fc.record({
    load: fc.constantFrom('loaded', 'not-found', 'error'),
    active: fc.constantFrom(...activeStates),
    sub: fc.constant(''),
    job: fc.constantFrom(undefined, 'start', 'stop', 'restart', 'reload', 'reload-or-start', 'verify-active'),
  }),
);
const currents: fc.Arbitrary<CurrentUnit> = fc.record({
  file: fc.option(fc.record({ hash: fc.constantFrom(undefined, ...hashes), sha256: fc.constantFrom('f', 'g') }), {
    nil: undefined,
  }),
  status: statuses,
  started: fc.option(
    fc.record(
      { uid: fc.nat(2), order: fc.nat(2), hash: fc.constantFrom(...hashes), isOutdated: fc.constant(true as const) },
      { requiredKeys: ['uid', 'order'] },
    ),
    { nil: undefined },
  ),
  known: fc.option(
    fc.record({
      hash: fc.constantFrom(...hashes),
      uid: fc.nat(2),
      isLaunched: fc.boolean(),
      order: fc.option(fc.nat(2), { nil: undefined }),
    }),
    { nil: undefined },
  ),
  isHeld: fc.constant(false),
  isToldToStop: fc.boolean(),
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
/** Wishes and units of all kinds, for property tests. */
export const worlds = fc.array(fc.tuple(desireds, currents), { minLength: 1, maxLength: names.length }).map((pairs) => {
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

/** How things stand; `current` is replaced as they change. */
export interface World {
  readonly desired: ReadonlyMap<UnitName, DesiredUnit>;
  current: ReadonlyMap<UnitName, CurrentUnit>;
}

const resting = { load: 'loaded', active: 'inactive', sub: '', job: undefined };
const up = { load: 'loaded', active: 'active', sub: '', job: undefined };

/** What a systemd that does as it is told makes of a task. */
export function after(unit: CurrentUnit, { kind }: Task, wish: DesiredUnit): CurrentUnit {
  const started = wish.kind === 'present' ? { uid: wish.uid, order: wish.order, hash: wish.hash } : undefined;
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
export function settle(unit: CurrentUnit): CurrentUnit {
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
