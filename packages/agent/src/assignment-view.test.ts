import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeRecord, keys } from '@flotilla/registry';
import { silentLogger } from '@flotilla/runtime';
import { AssignmentView } from './assignment-view.js';
import { machine, service } from './memory-host.js';

const names = ['a', 'b', 'c'].map(service);
const [a = service('a')] = names;
const put = (key: string) => {
  const kv = { key, value: encodeRecord({}), createRevision: 1, modRevision: 1, lease: undefined };
  return { kind: 'put', kv } as const;
};

test('of the units that were seen deleted, those are kept that matter', () => {
  const view = new AssignmentView(machine, silentLogger);
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
  const view = new AssignmentView(machine, silentLogger);
  assert.equal(view.isCurrent, false);
  view.replace([], 1);
  assert.equal(view.isCurrent, true);
  view.lose();
  assert.equal(view.isCurrent, false);
  view.replace([], 2);
  assert.equal(view.isCurrent, true);
});

test('what is set of the machine’s metadata lies over its own', () => {
  const view = new AssignmentView(machine, silentLogger);
  const metadata = () => Object.fromEntries(view.machine.metadata);
  const override = (key: string, record: object) => ({
    ...put(keys.metadata(machine.id, key)).kv,
    value: encodeRecord(record),
  });
  view.replace([], 1);
  assert.deepEqual(metadata(), { role: 'web' });
  view.apply([{ kind: 'put', kv: override('rack', { value: '7' }) }], 2);
  view.apply([{ kind: 'put', kv: override('role', { value: '' }) }], 3);
  assert.deepEqual(metadata(), { rack: '7' });
  view.lose();
  assert.deepEqual(metadata(), { rack: '7' }, 'a broken watch says nothing');
  view.replace([override('role', { value: 'db' })], 4);
  assert.deepEqual(metadata(), { role: 'db' });
  view.apply([{ kind: 'delete', key: keys.metadata(machine.id, 'role'), modRevision: 5 }], 5);
  assert.deepEqual(metadata(), { role: 'web' });
  assert.equal(view.removals, 1);
  assert.deepEqual([...view.removed], [], 'it is no unit');
});

test('a record that can not be read leaves what it is about as it was', () => {
  const view = new AssignmentView(machine, silentLogger);
  const kvs = [keys.global(a), keys.metadata(machine.id, 'rack')].map((key) => put(key).kv);
  const good = kvs.map((kv) => ({ ...kv, value: encodeRecord({ value: '7' }) }));
  const bad = kvs.map((kv) => ({ ...kv, value: encodeRecord({ value: 7 }) }));
  const broken = kvs.map((kv) => ({ ...kv, value: new TextEncoder().encode('{') }));
  view.replace(good, 1);
  for (const [index, records] of [bad, broken].entries()) {
    view.apply(
      records.map((kv) => ({ kind: 'put', kv })),
      2 + index,
    );
    assert.equal(view.machine.metadata.get('rack'), '7');
    view.replace(records, 3 + index);
    assert.equal(view.machine.metadata.get('rack'), '7');
    assert.equal(view.globals.size, 1);
  }
});
