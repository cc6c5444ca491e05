import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashUnitFile, parseUnitName } from '@flotilla/unit';
import { rowOf, stateRows } from './rows.js';

const hash = hashUnitFile({ options: [] });
const wish = { kind: 'present', isLaunched: true, hash, file: 'f', uid: 6, order: 1 } as const;
const status = { load: 'loaded', active: 'active', sub: 'running', job: undefined };
const unit = { file: { hash, sha256: 'f' }, status, known: undefined, isHeld: false, isToldToStop: false };

test('a unit that was started says so, with its order', () => {
  const { isLaunched, order } = rowOf(wish, { ...unit, started: { uid: 6, order: 3 } }, undefined);
  assert.deepEqual({ isLaunched, order }, { isLaunched: true, order: 3 });
});

test('a unit that was made anew under its name is not launched because the one before it was', () => {
  const { uid, isLaunched, order, error } = rowOf(wish, { ...unit, started: { uid: 5, order: 3 } }, 'not today');
  assert.deepEqual({ uid, isLaunched, order, error }, { uid: 6, isLaunched: false, order: 0, error: 'not today' });
});

test('the host’s own unit of the same name is not reported as the cluster’s', () => {
  const { load, active, error } = rowOf(wish, { ...unit, file: undefined, started: undefined }, 'the host has one');
  assert.deepEqual({ load, active, error }, { load: 'not-found', active: 'inactive', error: 'the host has one' });
});

const queued: readonly (readonly [active: string, job: string | undefined, last: number, order: number])[] = [
  ['active', 'restart', 2, 2],
  ['deactivating', 'restart', 2, 2],
  ['inactive', 'restart', 2, 2],
  ['failed', 'start', 2, 2],
  ['inactive', 'start', 2, 2],
  ['deactivating', 'start', 2, 2],
  ['inactive', 'start', 0, 3],
  ['failed', 'start', 0, 2],
  ['activating', 'start', 2, 3],
  ['active', undefined, 2, 3],
  ['failed', undefined, 2, 3],
];
for (const [active, job, before, expected] of queued)
  test(`a unit that is ${active} with job ${job} has carried out order ${expected}, after ${before}`, () => {
    const name = parseUnitName('web.service');
    const now = { ...unit, status: { ...status, active, job }, started: { uid: 6, order: 3 } };
    const last = new Map([[name, { ...rowOf(wish, now, undefined), order: before }]]);
    const sources = {
      desired: new Map([[name, wish]]),
      current: new Map([[name, now]]),
      error: () => undefined,
      queued: new Set<never>(),
    };
    assert.equal(stateRows({ ...sources, last }).get(name)?.order, expected);
    const isFirst = active === 'inactive' && job === 'start';
    const fresh = stateRows({ ...sources, last: new Map() }).get(name)?.order;
    assert.equal(fresh, isFirst ? 3 : expected, 'by a process that has not seen the copy before');
  });
