import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeRecord, keys } from '@flotilla/registry';
import { silentLogger } from '@flotilla/runtime';
import { AssignmentView } from './assignment-view.js';
import { machine, service } from './memory-host.js';

const names = ['a', 'b', 'c'].map(service);
const [a] = names;
const put = (key: string) => {
  const kv = { key, value: encodeRecord({}), createRevision: 1, modRevision: 1, lease: undefined };
  return { kind: 'put', kv } as const;
};

test('of the units that were seen deleted, those are kept that matter', () => {
  const view = new AssignmentView(machine.id, silentLogger);
  view.replace([], 1);
  view.apply(
    names.map((name) => put(keys.global(name))),
    2,
  );
  view.apply(
    names.map((name) => ({ kind: 'delete', key: keys.global(name), modRevision: 3 })),
    3,
  );
  assert.equal(view.removed.size, 3);
  view.keepRemoved(new Set([a]));
  assert.deepEqual([...view.removed], [a]);
  assert.equal(view.removals, 3);
});

test('after the watch has broken nothing is certain before the next snapshot', () => {
  const view = new AssignmentView(machine.id, silentLogger);
  assert.equal(view.isCurrent, false);
  view.replace([], 1);
  assert.equal(view.isCurrent, true);
  view.lose();
  assert.equal(view.isCurrent, false);
  view.replace([], 2);
  assert.equal(view.isCurrent, true);
});
