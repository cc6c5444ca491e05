import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeRecord, keys, MemoryStore, type Revision } from '@flotilla/registry';
import { silentLogger, TestClock } from '@flotilla/runtime';
import { hashUnitFile } from '@flotilla/unit';
import type { GlobalUnit } from './assignment-view.js';
import type { CurrentUnit } from './current.js';
import type { DesiredUnit } from './desired.js';
import { machine, service } from './memory-host.js';
import { OwnRestarts, spentRestarts } from './own-restarts.js';

const all = service('all');
const hash = hashUnitFile({ options: [] });
const status = { load: 'loaded', active: 'active', sub: 'running', job: undefined };
const unit = { file: { hash, sha256: 'f' }, status, known: undefined, isHeld: false, isToldToStop: false };
const present: DesiredUnit = { kind: 'present', isLaunched: true, hash, file: 'f', uid: 6, order: 9 };

function sources(wish: DesiredUnit | undefined, started: CurrentUnit['started'], revisions = { order: 8, global: 7 }) {
  const record = { hash, file: 'f', desiredState: 'launched', order: 1, isGlobal: true } as const;
  const global: GlobalUnit = { record, uid: 6, modRevision: revisions.global };
  return {
    restarts: new Map([[all, { record: { uid: 6, order: 9 }, modRevision: revisions.order }]]),
    globals: new Map([[all, global]]),
    desired: new Map(wish === undefined ? [] : [[all, wish]]),
    current: new Map([[all, { ...unit, started }]]),
  };
}

const cases: Readonly<
  Record<string, [wish: DesiredUnit | undefined, started: CurrentUnit['started'], isSpent: boolean]>
> = {
  'carried out': [present, { uid: 6, order: 9 }, true],
  'followed by a larger one that is carried out': [present, { uid: 6, order: 10 }, true],
  'not carried out': [present, { uid: 6, order: 8 }, false],
  'of another unit than was started': [present, { uid: 5, order: 9 }, false],
  'of a unit that is gone': [undefined, undefined, true],
  'of a unit that is stopped': [{ ...present, isLaunched: false }, undefined, true],
  'of a unit that is another one now': [{ ...present, uid: 8 }, undefined, true],
  'of a unit that nobody can tell about': [{ kind: 'untouched', why: 'unreadable', hash, uid: 6 }, undefined, false],
};
for (const [what, [wish, started, isSpent]] of Object.entries(cases))
  test(`an order ${what} is ${isSpent ? '' : 'not '}spent`, () => {
    assert.equal(spentRestarts(sources(wish, started)).length, isSpent ? 1 : 0);
  });

async function sweep(seen: (now: { order: Revision; global: Revision }) => { order: Revision; global: Revision }) {
  const store = new MemoryStore({ clock: new TestClock() });
  const write = (key: string) => store.transact({ success: [{ kind: 'put', key, value: encodeRecord({}) }] });
  const key = keys.restart(machine.id, all);
  const { revision: global } = await write(keys.global(all));
  const { revision: order } = await write(key);
  const restarts = new OwnRestarts({ store, machine: machine.id, log: silentLogger });
  assert.ok((restarts.sweep(sources(present, { uid: 6, order: 9 }, seen({ order, global }))) ?? 0) > 0);
  await write(keys.cluster);
  const { kvs } = await store.range({ from: key });
  await store.close();
  return kvs.length === 0;
}

test('an order that is spent is deleted, if it and its unit are still as they were seen', async () => {
  assert.equal(await sweep((now) => now), true);
  assert.equal(await sweep((now) => ({ ...now, order: now.order - 1 })), false, 'another order is there by now');
  assert.equal(await sweep((now) => ({ ...now, global: now.global - 1 })), false, 'the unit has changed since');
});
