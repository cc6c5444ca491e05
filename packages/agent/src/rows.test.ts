import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashUnitFile } from '@flotilla/unit';
import { rowOf } from './rows.js';

const hash = hashUnitFile({ options: [] });
const wish = { kind: 'present', isLaunched: true, hash, file: 'f', uid: 6, order: 1 } as const;
const status = { load: 'loaded', active: 'active', sub: 'running', job: undefined };
const unit = { file: { hash, sha256: 'f' }, status, isHeld: false, isToldToStop: false };

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
