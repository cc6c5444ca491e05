import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { StoreError } from '@flotilla/registry';
import { TestClock } from '@flotilla/runtime';
import { findTroubleKind, type StoreOperation, type StoreTroubleKind, TroubleReport } from './store-trouble.js';

describe('TroubleReport', () => {
  let told: (StoreTroubleKind | 'over')[] = [];
  let clock = new TestClock();
  let report = new TroubleReport(() => {}, clock);
  beforeEach(() => {
    told = [];
    clock = new TestClock();
    report = new TroubleReport((trouble) => told.push(trouble?.kind ?? 'over'), clock);
  });
  const fail = (kind: StoreTroubleKind, operation: StoreOperation = 'read', why = 'so') =>
    report.failed({ kind, operation, why, host: 'http://a:1' });

  it('tells each reason of an outage once, and its end', () => {
    report.succeeded('read');
    for (const kind of ['unreachable', 'no-leader', 'unreachable', 'no-leader'] as const) fail(kind);
    report.succeeded('write');
    fail('unreachable');
    assert.deepEqual(told, ['unreachable', 'no-leader', 'over', 'unreachable']);
  });

  it('takes a right for granted only when it was used', async () => {
    fail('no-permission', 'write');
    report.succeeded('read');
    fail('no-permission', 'write');
    assert.deepEqual(told, ['no-permission']);
    report.succeeded('write');
    assert.deepEqual(told, ['no-permission', 'over']);
  });

  it('tells each outage also where a right is missing all the while', () => {
    for (let time = 0; time < 2; time++) {
      fail('no-permission', 'write');
      fail('unreachable');
      report.succeeded('read');
    }
    assert.deepEqual(told, ['no-permission', 'unreachable', 'over', 'unreachable', 'over']);
  });

  it('does not repeat a missing right that comes and goes, before a minute has passed', async () => {
    for (let second = 0; second < 90; second++) {
      fail('no-permission', 'read');
      report.succeeded('read');
      await clock.advance(1_000);
    }
    assert.deepEqual(told, ['no-permission', 'over', 'no-permission', 'over']);
  });

  it('waits for a reason rather than tell that there is none', () => {
    fail('unreachable', 'read', 'cannot reach etcd: read ECONNRESET');
    fail('plain-server');
    for (let time = 0; time < 5; time++) fail('unreachable', 'read', 'cannot reach etcd: it hung up');
    assert.deepEqual(told, ['plain-server']);
    report.succeeded('read');
    for (let time = 0; time < 5; time++) fail('unreachable', 'read', 'cannot reach etcd: it hung up');
    assert.deepEqual(told, ['plain-server', 'over', 'unreachable']);
  });
});

it('a refusal that is not about access is no trouble with the store', () => {
  assert.equal(findTroubleKind(new StoreError('refused', 'etcd: etcdserver: request is too large')), undefined);
  assert.equal(findTroubleKind(new StoreError('refused', 'etcd: etcdserver: permission denied')), 'no-permission');
  assert.equal(findTroubleKind(new StoreError('uncertain', 'etcd: something new')), 'unreachable');
});
