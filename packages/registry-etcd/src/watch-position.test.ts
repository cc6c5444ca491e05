import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { IWatchResponse } from 'etcd3';
import { WatchPosition } from './watch-position.js';
import { Wire } from './wire.js';

function position(fromRevision: number): WatchPosition {
  return new WatchPosition({ from: 'a' }, fromRevision, new Wire('p/'));
}

function response(head: number, fields: Partial<IWatchResponse> = {}): IWatchResponse {
  const header = { cluster_id: '1', member_id: '1', revision: String(head), raft_term: '1' };
  const none = { created: false, canceled: false, compact_revision: '0', cancel_reason: '', fragment: false };
  return { header, watch_id: '1', events: [], ...none, ...fields };
}

function putsAt(...revisions: number[]): Pick<IWatchResponse, 'events'> {
  const key = Buffer.from('p/a');
  return {
    events: revisions.map((revision) => {
      const kv = { key, value: key, create_revision: '1', mod_revision: `${revision}`, version: '1', lease: '0' };
      return { type: 'Put', kv, prev_kv: kv };
    }),
  };
}

describe('how far a watch has come', () => {
  it('follows the events, not the header, which is ahead of them while etcd catches up', () => {
    const at = position(5);
    const step = at.read(response(100, putsAt(5, 6, 6)));
    assert.equal(step.kind === 'events' && step.revision, 6);
    assert.equal(at.next, 7);
  });

  it('begins one revision early and drops what was told before', () => {
    const at = position(5);
    assert.equal(at.start, 4);
    const step = at.read(response(6, putsAt(4, 5)));
    assert.equal(step.kind === 'events' && step.events.length, 1);
    assert.deepEqual(at.read(response(6, putsAt(5))), { kind: 'nothing' });
    assert.equal(at.next, 6);
  });

  it('begins at 1 at the earliest: 0 would mean "now"', () => {
    assert.equal(position(1).start, 1);
  });

  it('moves on with a progress notification, and never back', () => {
    const at = position(5);
    at.read(response(20));
    assert.equal(at.next, 21);
    at.read(response(10));
    assert.equal(at.next, 21);
  });

  it('does not move when etcd confirms it, and notices a member that is behind', () => {
    const at = position(5);
    assert.deepEqual(at.read(response(20, { created: true })), { kind: 'created' });
    assert.deepEqual(at.read(response(4, { created: true })), { kind: 'created' });
    assert.deepEqual(at.read(response(3, { created: true })), { kind: 'behind' });
    assert.equal(at.next, 5);
  });

  it('tells a compaction from a refusal', () => {
    const canceled = { canceled: true, created: true };
    assert.deepEqual(position(5).read(response(20, { ...canceled, compact_revision: '9' })), {
      kind: 'broken',
      reason: 'compacted',
    });
    assert.deepEqual(position(5).read(response(20, { ...canceled, cancel_reason: 'no' })), {
      kind: 'rejected',
      why: 'no',
    });
  });
});
