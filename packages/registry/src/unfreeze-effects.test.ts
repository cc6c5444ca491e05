import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type LaunchState, parseMachineId } from '@flotilla/cluster';
import { silentLogger, TestClock } from '@flotilla/runtime';
import { parseUnitName, type UnitHash, type UnitName } from '@flotilla/unit';
import { HeldPublisher } from './held-publisher.js';
import { keys, ranges } from './keys.js';
import { MemoryStore } from './memory-store.js';
import { encodeRecord, type HeldRecord, type UnitRecord } from './records.js';
import type { StoredUnit } from './stored-units.js';
import { heldEffect, readUnfreezeEffects } from './unfreeze-effects.js';

const [here, there] = [parseMachineId('m1'), parseMachineId('m2')];
const unit = parseUnitName('a.service');
const hash = (digit: string) => digit.repeat(40) as UnitHash;
const held: HeldRecord = { hash: hash('1'), file: 'f', desiredState: 'launched', isGlobal: false };

interface Says extends Partial<UnitRecord> {
  readonly on?: typeof here;
}

function known({ on, ...record }: Says = {}): StoredUnit {
  const desiredState: LaunchState = 'launched';
  const usual = { hash: hash('1'), file: 'f', desiredState, order: 1, isGlobal: false };
  return { kind: 'there', uid: 5, placement: on, record: { ...usual, ...record } };
}

const rows: readonly (readonly [says: string, stored: StoredUnit, adopt: string, discard?: string])[] = [
  ['does not have', { kind: 'absent' }, 'written-back unknown', 'stopped unknown'],
  ['has a record of that nobody can read', { kind: 'unreadable' }, 'kept unreadable'],
  ['has here', known({ on: here }), 'kept same'],
  ['has as a global unit', known({ isGlobal: true }), 'kept same'],
  ['has inactive', known({ desiredState: 'inactive', on: here }), 'stopped inactive'],
  ['has elsewhere', known({ on: there }), 'stopped placed-elsewhere'],
  ['has and places nowhere', known(), 'kept waiting'],
  ['has here with other content', known({ on: here, hash: hash('2') }), 'replaced other-content'],
  ['has here and wants loaded only', known({ on: here, desiredState: 'loaded' }), 'stopped wanted'],
];

for (const [says, stored, adopt, discard = adopt] of rows)
  test(`what becomes of a unit that the store ${says}`, () => {
    for (const [how, effect] of [
      ['adopt', adopt],
      ['discard', discard],
    ] as const) {
      const found = heldEffect({ unit, held, stored, machine: here, how });
      assert.equal(`${found.effect} ${found.why.kind}`, effect);
    }
  });

test('a plan is about what the machine has and what is scheduled to it, by name', async () => {
  const store = new MemoryStore({ clock: new TestClock() });
  const put = (key: string, record: object) =>
    store.transact({ success: [{ kind: 'put', key, value: encodeRecord(record) }] });
  const access = { store, log: silentLogger };
  assert.deepEqual(await readUnfreezeEffects(access, here, 'adopt'), { kind: 'absent' });
  await put(keys.machine(here), {});
  assert.deepEqual(await readUnfreezeEffects(access, here, 'adopt'), { kind: 'not-frozen' });
  await put(keys.machine(here), { frozen: 'because' });
  assert.deepEqual(await readUnfreezeEffects(access, here, 'adopt'), { kind: 'not-told' });
  await put(keys.machine(here), { frozen: 'because', held: 1 });
  await put(keys.held(here, unit), held);
  await put(keys.held(there, parseUnitName('x.service')), held);
  const scheduled = { hash: hash('1'), file: 'f', desiredState: 'launched', order: 1, uid: 3, isLeaving: false };
  for (const [name, change] of [
    ['0.service', {}],
    ['a.service', {}],
    ['b.service', { desiredState: 'loaded' }],
    ['c.service', { isLeaving: true }],
  ] as const)
    await put(keys.schedule(here, parseUnitName(name)), { ...scheduled, ...change });
  const plan = await readUnfreezeEffects(access, here, 'adopt');
  assert.ok(plan.kind === 'planned');
  assert.equal(plan.frozen, 'because');
  assert.deepEqual(
    plan.effects.map(({ unit: of, effect }) => `${of} ${effect}`),
    ['0.service started', 'a.service written-back', 'b.service loaded'],
  );
  await store.close();
});

test('what a machine has is written when it changes, all of it on another lease, and no more than that', async () => {
  const store = new MemoryStore({ clock: new TestClock() });
  const publisher = new HeldPublisher(store, here);
  const names = Array.from({ length: 300 }, (_, at) => parseUnitName(`u${at}.service`));
  const all = new Map<UnitName, HeldRecord>(names.map((name) => [name, held]));
  const listed = async () => (await store.range(ranges.heldOf(here))).kvs;
  const [one, other] = [await store.grantLease(30), await store.grantLease(30)];
  await publisher.publish(all, one.id);
  assert.equal((await listed()).length, 300);
  const { revision } = store;
  await publisher.publish(new Map(all), one.id);
  assert.equal(store.revision, revision);
  all.delete(names[0] ?? unit);
  await publisher.publish(all, one.id);
  assert.deepEqual([(await listed()).length, store.revision], [299, revision + 1]);
  await publisher.publish(all, other.id);
  assert.ok((await listed()).every(({ lease }) => lease === other.id));
  await store.revokeLease(other.id);
  assert.deepEqual(await listed(), []);
  await store.close();
});
