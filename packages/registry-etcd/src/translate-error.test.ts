import assert from 'node:assert/strict';
import { it } from 'node:test';
import { StoreError, type StoreErrorCode } from '@flotilla/registry';
import { ClientClosedError, castGrpcError } from 'etcd3';
import { translateError } from './translate-error.js';

/** What grpc-js says, and what it means for a call that writes and for one that reads. */
const rows: readonly [string, number, StoreErrorCode, StoreErrorCode][] = [
  ['4 DEADLINE_EXCEEDED: Deadline exceeded after 2.001s', 4, 'uncertain', 'unavailable'],
  ['14 UNAVAILABLE: Connection dropped', 14, 'uncertain', 'unavailable'],
  ['14 UNAVAILABLE: etcdserver: request timed out', 14, 'uncertain', 'unavailable'],
  ['14 UNAVAILABLE: No connection established. Last error: connect ECONNREFUSED', 14, 'unavailable', 'unavailable'],
  ['14 UNAVAILABLE: etcdserver: no leader', 14, 'unavailable', 'unavailable'],
  ['8 RESOURCE_EXHAUSTED: etcdserver: too many requests', 8, 'unavailable', 'unavailable'],
  ['8 RESOURCE_EXHAUSTED: etcdserver: mvcc: database space exceeded', 8, 'refused', 'refused'],
  ['9 FAILED_PRECONDITION: etcdserver: mvcc: database space exceeded', 9, 'refused', 'refused'],
  ['15 DATA_LOSS: etcdserver: corrupt cluster', 15, 'refused', 'refused'],
  ['3 INVALID_ARGUMENT: etcdserver: duplicate key given in txn request', 3, 'refused', 'refused'],
  ['3 INVALID_ARGUMENT: etcdserver: authentication failed, invalid user ID or password', 3, 'refused', 'refused'],
  ['7 PERMISSION_DENIED: etcdserver: permission denied', 7, 'refused', 'refused'],
  ['16 UNAUTHENTICATED: etcdserver: auth token ran out', 16, 'unavailable', 'unavailable'],
  ['11 OUT_OF_RANGE: etcdserver: mvcc: required revision has been compacted', 11, 'compacted', 'compacted'],
  ['11 OUT_OF_RANGE: etcdserver: mvcc: required revision is a future revision', 11, 'refused', 'refused'],
  ['5 NOT_FOUND: etcdserver: requested lease not found', 5, 'no-lease', 'no-lease'],
  ['2 UNKNOWN: something new', 2, 'uncertain', 'unavailable'],
];

for (const [message, code, written, readOnly] of rows) {
  it(`${message} is ${written}, or ${readOnly} when nothing is written`, () => {
    const error = castGrpcError(Object.assign(new Error(message), { code }));
    assert.equal(translateError(error, true).kind, written);
    assert.equal(translateError(error, false).kind, readOnly);
    assert.match(translateError(error, true).message, /^(etcd|cannot reach etcd): /);
  });
}

it('a refusal because of an alarm says which, and what to do', () => {
  const error = castGrpcError(
    Object.assign(new Error('8 RESOURCE_EXHAUSTED: etcdserver: mvcc: database space exceeded'), { code: 8 }),
  );
  const { refusal, message } = translateError(error, true);
  assert.equal(refusal, 'no-space');
  assert.match(message, /quota is used up.*etcdctl defrag.*etcdctl alarm disarm/);
});

it('a missing connection is told in one line, without what grpc-js adds', () => {
  const told =
    '14 UNAVAILABLE: No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:2379. Resolution note: ';
  const error = castGrpcError(Object.assign(new Error(told), { code: 14 }));
  assert.equal(translateError(error, false).message, 'cannot reach etcd: connect ECONNREFUSED 127.0.0.1:2379');
});

it('a call that was never sent is unavailable', () => {
  assert.equal(translateError(new ClientClosedError('KV'), true).kind, 'unavailable');
});

it('an own error stays as it is', () => {
  const error = new StoreError('compacted', 'gone');
  assert.equal(translateError(error, true), error);
});
