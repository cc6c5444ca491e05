import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MachineId, parseMachineId } from '@flotilla/cluster';
import { encodeRecord, type KeyValue, keys } from '@flotilla/registry';
import { silentLogger } from '@flotilla/runtime';
import { service } from './memory-host.js';
import { SeenTurns } from './seen-turns.js';

const [web, logs] = [service('web'), service('logs')];
const one = parseMachineId('1'.repeat(32));
const other = parseMachineId('2'.repeat(32));

const turnOf = (machine: MachineId, modRevision: number, group = web): KeyValue => {
  const value = encodeRecord({ machine, name: group });
  return { key: keys.update(group), value, createRevision: modRevision, modRevision, lease: 'l' };
};
const gone = (modRevision: number) => ({ kind: 'delete', key: keys.update(web), modRevision }) as const;
const put = (kv: KeyValue) => ({ kind: 'put', kv }) as const;

function watch(): { readonly seen: SeenTurns; readonly told: string[] } {
  const told: string[] = [];
  const digit = (machine: string | undefined) => machine?.slice(0, 1) ?? '-';
  const seen = new SeenTurns(silentLogger, (group, now, before) => {
    told.push(`${group} ${digit(before?.machine)}>${digit(now?.machine)}`);
  });
  return { seen, told };
}

test('what comes late changes nothing', () => {
  const { seen, told } = watch();
  seen.note(web, turnOf(one, 7), 7);
  seen.apply([put(turnOf(other, 5)), gone(6), put(turnOf(one, 7))]);
  assert.deepEqual([seen.find(web)?.machine, seen.revisionOf(web)], [one, 7]);
  seen.note(web, undefined, 9);
  seen.apply([put(turnOf(one, 8)), gone(9)]);
  assert.deepEqual([seen.find(web), seen.revisionOf(web)], [undefined, 0]);
  seen.apply([put(turnOf(other, 10))]);
  assert.deepEqual(told, ['web.service ->1', 'web.service 1>-', 'web.service ->2']);
});

test('after a look at all keys nothing from before it counts', () => {
  const { seen } = watch();
  seen.note(web, turnOf(one, 7), 7);
  seen.reset([], 12);
  seen.apply([put(turnOf(one, 11)), gone(12)]);
  assert.equal(seen.find(web), undefined);
  seen.apply([put(turnOf(one, 13))]);
  assert.equal(seen.find(web)?.machine, one);
});

test('a store that went back is believed', () => {
  const { seen } = watch();
  seen.note(web, turnOf(one, 70), 70);
  seen.reset([turnOf(other, 5)], 6);
  assert.deepEqual([seen.find(web)?.machine, seen.revisionOf(web)], [other, 5]);
});

test('a snapshot takes away what it does not have, and leaves what is newer', () => {
  const { seen, told } = watch();
  seen.reset([turnOf(one, 3), turnOf(other, 4, logs)], 5);
  seen.note(web, turnOf(one, 9), 9);
  seen.replace([], 8);
  assert.deepEqual([seen.find(web)?.machine, seen.find(logs)], [one, undefined]);
  assert.deepEqual(told.slice(-2), ['web.service 1>1', 'logs.service 2>-']);
});

test('a turn that can not be read is somebody’s', () => {
  const { seen } = watch();
  seen.note(web, { ...turnOf(one, 3), value: new Uint8Array([1]) }, 3);
  assert.equal(seen.find(web)?.machine, '');
  assert.equal(seen.revisionOf(web), 3);
});

test('only one machine’s turns are kept when nobody tells of the others', () => {
  const { seen } = watch();
  seen.reset([turnOf(one, 3), turnOf(other, 4, logs)], 5);
  seen.keepOf(one);
  assert.deepEqual(seen.groups, [web]);
});
