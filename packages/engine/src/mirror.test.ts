import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMachineId } from '@flotilla/cluster';
import { encodeRecord, type KeyValue, keys, type Revision, type UnitRecord, type WatchEvent } from '@flotilla/registry';
import { silentLogger } from '@flotilla/runtime';
import { parseUnitName, type UnitHash } from '@flotilla/unit';
import { Mirror } from './mirror.js';
import { decide } from './schedule.js';

const name = parseUnitName('a.service');
const m1 = parseMachineId('m1');
const machineRecord = { address: '', metadata: {}, version: '', instance: '', boot: '' };
const unitRecord: UnitRecord = {
  hash: '' as UnitHash,
  file: 'f1',
  desiredState: 'launched',
  order: 1,
  isGlobal: false,
};

function kv(key: string, record: object | string, modRevision: Revision): KeyValue {
  const value = typeof record === 'string' ? new TextEncoder().encode(record) : encodeRecord(record);
  return { key, value, createRevision: modRevision, modRevision, lease: undefined };
}

function put(key: string, record: object | string, modRevision: Revision): WatchEvent {
  return { kind: 'put', kv: kv(key, record, modRevision) };
}

function gone(key: string, modRevision: Revision): WatchEvent {
  return { kind: 'delete', key, modRevision };
}

/** A mirror filled at revision 10, with nothing left to decide. */
function mirrorOf(...kvs: KeyValue[]): Mirror {
  const mirror = new Mirror({ log: silentLogger, onTouched: () => {} });
  mirror.reset(kvs, 10);
  decide(mirror.state.index, mirror.takeTouched());
  return mirror;
}

const ownPut = { kind: 'put', key: keys.placement(name), value: encodeRecord({ machine: m1 }) } as const;
const ownDelete = { kind: 'delete', key: keys.placement(name) } as const;

test('a snapshot touches every unit that anything is known of', () => {
  const mirror = new Mirror({ log: silentLogger, onTouched: () => {} });
  assert.equal(mirror.isSynced, false);
  mirror.reset(
    [kv(keys.unit(name), unitRecord, 3), kv('reasons/b.service', { since: 1, machines: 0, misfits: {} }, 4)],
    10,
  );
  assert.deepEqual([...mirror.takeTouched()], ['a.service', 'b.service']);
  assert.equal(mirror.hasTouched, false);
});

test('a file that comes before the unit that uses it is not taken for unused', () => {
  const mirror = mirrorOf();
  mirror.apply([put('unit-files/f1', '', 11)], 11);
  assert.deepEqual(mirror.unusedFiles(), []);
  mirror.apply([put(keys.unit(name), unitRecord, 11)], 11);
  assert.deepEqual(mirror.unusedFiles(), []);
  mirror.apply([gone(keys.unit(name), 12)], 12);
  assert.deepEqual(mirror.unusedFiles(), [{ sha256: 'f1', modRevision: 11 }]);
});

test('a file that a schedule record still names is in use', () => {
  const scheduled = { ...unitRecord, uid: 3, isLeaving: false };
  const key = keys.schedule(m1, name);
  const mirror = mirrorOf(kv('unit-files/f1', '', 2), kv(key, scheduled, 4));
  assert.deepEqual(mirror.unusedFiles(), []);
  mirror.apply([put(key, { ...scheduled, isLeaving: true }, 11)], 11);
  assert.deepEqual(mirror.unusedFiles(), []);
  mirror.apply([gone(key, 12)], 12);
  assert.deepEqual(mirror.unusedFiles(), [{ sha256: 'f1', modRevision: 2 }]);
});

test('what the leader writes is known at once, and its echo changes nothing', () => {
  const mirror = mirrorOf();
  mirror.applyOwn([ownPut], 11);
  assert.equal(mirror.cluster.placements.get(name)?.machine, 'm1');
  mirror.applyOwn([ownDelete], 12);
  mirror.apply([put(keys.placement(name), { machine: m1 }, 11)], 11);
  assert.equal(mirror.cluster.placements.has(name), false);
  mirror.apply([gone(keys.placement(name), 12)], 12);
  assert.equal(mirror.hasTouched, false);
  mirror.apply([put(keys.placement(name), { machine: m1 }, 13)], 13);
  assert.equal(mirror.cluster.placements.get(name)?.machine, 'm1');
});

test('an echo may come before the answer', () => {
  const mirror = mirrorOf();
  mirror.apply([put(keys.placement(name), { machine: m1 }, 11), gone(keys.placement(name), 12)], 12);
  mirror.applyOwn([ownDelete], 12);
  mirror.apply([put(keys.placement(name), { machine: m1 }, 13)], 13);
  mirror.applyOwn([ownDelete], 12);
  assert.equal(mirror.cluster.placements.get(name)?.machine, 'm1');
});

test('an answer that is older than the snapshot is ignored', () => {
  const mirror = mirrorOf();
  mirror.applyOwn([ownPut], 9);
  assert.equal(mirror.cluster.placements.has(name), false);
});

test('a refused unit is touched again when the mirror no longer holds what was refused', () => {
  const mirror = mirrorOf(kv(keys.unit(name), unitRecord, 3));
  mirror.refuse(name, [{ key: keys.unit(name), on: 'mod-revision', equals: 3 }], 12);
  mirror.apply([put(keys.machine(m1), machineRecord, 11)], 11);
  assert.equal(mirror.hasTouched, false);
  mirror.apply([put(keys.unit(name), unitRecord, 12)], 12);
  assert.deepEqual([...mirror.takeTouched()], [name]);
});

test('a refused unit is touched again although the mirror is back to what was refused', () => {
  const mirror = mirrorOf();
  mirror.refuse(name, [{ key: keys.machine(m1), on: 'create-revision', equals: 0 }], 12);
  assert.equal(mirror.hasTouched, false);
  mirror.apply([put(keys.machine(m1), machineRecord, 11), gone(keys.machine(m1), 13)], 13);
  assert.deepEqual([...mirror.takeTouched()], [name]);
});

test('a refusal that the mirror knows of already, or can not know of, touches at once', () => {
  for (const compare of [
    { key: keys.machine(m1), on: 'create-revision', equals: 5 },
    { key: keys.state(name, m1), on: 'create-revision', equals: 0 },
  ] as const) {
    const mirror = mirrorOf();
    mirror.refuse(name, [compare], 12);
    assert.deepEqual([...mirror.takeTouched()], [name]);
  }
});

test('a refusal that the mirror has passed already touches at once, although it is back to what was refused', () => {
  const mirror = mirrorOf();
  mirror.apply([put(keys.machine(m1), machineRecord, 11), gone(keys.machine(m1), 13)], 13);
  mirror.refuse(name, [{ key: keys.machine(m1), on: 'create-revision', equals: 0 }], 12);
  assert.deepEqual([...mirror.takeTouched()], [name]);
});

test('a refused unit counts as where it is until the mirror has caught up', () => {
  const follower = parseUnitName('b.service');
  const file = kv('unit-files/f2', '[X-Fleet]\nMachineOf=a.service\n', 3);
  const units = [kv(keys.unit(name), unitRecord, 3), kv(keys.unit(follower), { ...unitRecord, file: 'f2' }, 4)];
  const mirror = mirrorOf(kv('unit-files/f1', '', 2), file, ...units, kv(keys.machine(m1), machineRecord, 5));
  for (const [unit, revision] of [[name, 3] as const, [follower, 4] as const])
    mirror.state.noteCopies(unit, revision, []);
  const decided = () => decide(mirror.state.index, mirror.takeTouched()).decisions.map(({ unit }) => unit);
  assert.deepEqual(decided(), [name, follower]);
  mirror.refuse(name, [{ key: keys.unit(name), on: 'mod-revision', equals: 3 }], 12);
  assert.deepEqual(decided(), []);
  mirror.apply([put(keys.unit(name), unitRecord, 12)], 12);
  assert.deepEqual(decided(), [name, follower]);
});

test('a unit that was being placed on a machine while that changed is decided about again', () => {
  const mirror = mirrorOf(kv(keys.machine(m1), machineRecord, 2));
  mirror.apply([put('unit-files/f1', '', 11), put(keys.unit(name), unitRecord, 11)], 11);
  decide(mirror.state.index, mirror.takeTouched());
  mirror.apply([put(keys.machine(m1), { ...machineRecord, metadata: { role: 'db' } }, 12)], 12);
  mirror.applyOwn([ownPut], 13);
  assert.deepEqual([...mirror.takeTouched()], [name]);
});

test('a machine touches its units and those that wait, unless nothing that matters has changed', () => {
  const file = kv('unit-files/f2', '[X-Fleet]\nMachineMetadata=role=none\n', 3);
  const waiting = kv('units/b.service', { ...unitRecord, file: 'f2' }, 4);
  const scheduled = kv(keys.schedule(m1, name), { ...unitRecord, uid: 3, isLeaving: false }, 4);
  const mirror = mirrorOf(kv(keys.machine(m1), machineRecord, 2), file, waiting, scheduled);
  mirror.state.noteCopies(parseUnitName('b.service'), 4, []);
  decide(mirror.state.index, mirror.takeTouched());
  const change = (record: object, revision: Revision) => {
    const event = put(keys.machine(m1), record, revision);
    const createRevision = 2;
    mirror.apply(event.kind === 'put' ? [{ kind: 'put', kv: { ...event.kv, createRevision } }] : [], revision);
    return [...mirror.takeTouched()].sort();
  };
  assert.deepEqual(change({ ...machineRecord, address: '192.0.2.1' }, 11), []);
  assert.deepEqual(change({ ...machineRecord, metadata: { role: 'db' } }, 12), ['a.service', 'b.service']);
  assert.deepEqual(change({ ...machineRecord, metadata: { role: 'db' }, frozen: 'a test' }, 13), [
    'a.service',
    'b.service',
  ]);
  mirror.apply([gone(keys.machine(m1), 14)], 14);
  assert.deepEqual([...mirror.takeTouched()].sort(), ['a.service', 'b.service']);
});

for (const order of ['before', 'after'] as const)
  test(`a row that goes at the end of its machine is no answer, told ${order} that`, () => {
    const member = kv(keys.member(m1), { is: 'joined', address: '' }, 4);
    const leaving = kv(keys.schedule(m1, name), { ...unitRecord, uid: 3, isLeaving: true }, 5);
    const mirror = mirrorOf(member, kv(keys.machine(m1), machineRecord, 4), leaving);
    const ends = [gone(keys.state(name, m1), 12), gone(keys.machine(m1), 12)];
    for (const event of order === 'before' ? ends : ends.reverse()) mirror.apply([event], 12);
    assert.deepEqual(mirror.cluster.leaving.get(name), new Set([m1]));
    // An answer before that end is one.
    const other = mirrorOf(member, kv(keys.machine(m1), machineRecord, 4), leaving);
    other.apply([gone(keys.state(name, m1), 12)], 12);
    other.apply([gone(keys.machine(m1), 13)], 13);
    assert.equal(other.cluster.leaving.has(name), false);
  });

test('an answer to an order counts although it is heard before the order', () => {
  const scheduled = { ...unitRecord, uid: 3, isLeaving: false };
  const key = keys.schedule(m1, name);
  const mirror = mirrorOf(kv(key, scheduled, 4), kv(keys.machine(m1), machineRecord, 4));
  mirror.apply([gone(keys.state(name, m1), 12)], 12);
  assert.equal(mirror.hasTouched, false);
  mirror.applyOwn([{ kind: 'put', key, value: encodeRecord({ ...scheduled, isLeaving: true }) }], 11);
  assert.equal(mirror.cluster.leaving.has(name), false);
  assert.deepEqual([...mirror.takeTouched()], [name]);
});
