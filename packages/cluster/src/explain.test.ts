import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explain } from './explain.js';
import { parseMachineId } from './machine-id.js';
import type { Misfit } from './misfits.js';
import { leavingKey, misfitKey, stoppingKey, waitReason } from './wait-reason.js';

function reason(machines: number, ...counted: readonly (readonly [Misfit, number])[]) {
  return waitReason(machines, new Map(counted.map(([misfit, count]) => [misfitKey(misfit), count])));
}

const lacksDb: Misfit = { kind: 'missing-metadata', key: 'role', accepted: ['db'] };

test('a unit that may still be up on a machine that is gone', () => {
  const key = stoppingKey({ machine: parseMachineId('a1b2c3d4e5f6'), untilMs: Date.UTC(2026, 0, 2, 3, 4, 5, 1) });
  assert.equal(
    explain(waitReason(1, new Map([[key, 1]]))),
    'machine a1b2c3d4 is gone, and may take until 2026-01-02T03:04:06Z to stop it (OnPartition=stop)',
  );
});

test('the commonest misfit comes first', () => {
  const text = explain(reason(3, [{ kind: 'not-required-machine', required: 'abc' }, 1], [lacksDb, 2]));
  assert.equal(text, '3 machines: 2 lack role=db, 1 is not machine abc');
});

test('one machine and several accepted values', () => {
  const text = explain(reason(1, [{ kind: 'missing-metadata', key: 'role', accepted: ['db', 'web'] }, 1]));
  assert.equal(text, '1 machine: 1 lacks role=db|web');
});

test('tests of metadata, in words where there is nothing to compare', () => {
  const gpu: Misfit = { kind: 'failed-test', test: { key: 'gpu', op: 'has' } };
  const spot: Misfit = { kind: 'failed-test', test: { key: 'spot', op: 'lacks' } };
  const cores: Misfit = { kind: 'failed-test', test: { key: 'cores', op: '>=', value: 8 } };
  assert.equal(
    explain(reason(6, [gpu, 3], [spot, 2], [cores, 1])),
    '6 machines: 3 lack gpu, 2 have spot, 1 fails cores>=8',
  );
  assert.equal(explain({ machines: 1, misfits: { 'failed-test': 1 } }), '1 machine: 1 fails another test');
});

test('full machines, whatever their limits', () => {
  const key = misfitKey({ kind: 'machine-full', maxUnits: 1 });
  assert.equal(key, misfitKey({ kind: 'machine-full', maxUnits: 2 }));
  assert.equal(explain(waitReason(2, new Map([[key, 2]]))), '2 machines: 2 are full');
});

test('closed machines', () => {
  assert.equal(explain(reason(2, [{ kind: 'machine-closed' }, 2])), '2 machines: 2 take no new units');
});

test('no machine at all', () => {
  assert.equal(explain(reason(0)), 'there is no machine');
});

test('a unit that still has to stop', () => {
  const waiting = waitReason(3, new Map([[leavingKey(parseMachineId('0123456789ab')), 1]]));
  assert.equal(explain(waiting), 'it is still being stopped on machine 01234567');
});

test('a rule of a newer version is named as it is', () => {
  assert.equal(explain({ machines: 2, misfits: { 'too-hot': 2 } }), '2 machines: 2 are ruled out by too-hot');
});

test('values with colons and equals signs survive', () => {
  const odd: Misfit = { kind: 'missing-metadata', key: 'a:b', accepted: ['c=d'] };
  assert.equal(explain(reason(1, [odd, 1])), '1 machine: 1 lacks a:b=c=d');
});
