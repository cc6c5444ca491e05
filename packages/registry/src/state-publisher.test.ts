import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMachineId } from '@flotilla/cluster';
import { silentLogger, TestClock } from '@flotilla/runtime';
import { hashUnitFile, parseUnitName, type UnitName } from '@flotilla/unit';
import { keys, ranges } from './keys.js';
import { MemoryStore } from './memory-store.js';
import { decodeRecord, type StateRecord } from './records.js';
import { StatePublisher } from './state-publisher.js';
import type { UnitRow } from './state-rows.js';
import { StoreError } from './store.js';

const machine = parseMachineId('0123456789abcdef0123456789abcdef');
const hash = hashUnitFile({ options: [] });
const web = parseUnitName('web.service');

const row = (change: Partial<UnitRow> = {}): UnitRow => ({
  load: 'loaded',
  active: 'active',
  sub: 'running',
  hash,
  uid: 7,
  order: 1,
  isLaunched: true,
  ...change,
});

async function setUp() {
  const clock = new TestClock();
  const store = new MemoryStore({ clock });
  const lease = { id: (await store.grantLease(60)).id, isFresh: () => true };
  const current: { lease: typeof lease | undefined } = { lease };
  const publisher = new StatePublisher({ store, clock, log: silentLogger, machine, lease: () => current.lease });
  const deletes: string[] = [];
  store.watch(
    { ranges: [{ ...ranges.states, deletesOnly: true }], fromRevision: 1 },
    {
      onEvents: (events) => {
        for (const event of events) if (event.kind === 'delete') deletes.push(event.key);
      },
      onBroken() {},
    },
  );
  const read = async (name: UnitName) => {
    const kv = (await store.range({ from: keys.state(name, machine) })).kvs[0];
    return kv === undefined ? undefined : { record: decodeRecord<StateRecord>(kv.key, kv.value), kv };
  };
  publisher.start();
  await clock.advance(0);
  return { clock, store, publisher, current, deletes, read };
}

test('rows are written under the lease when they change, and not otherwise', async () => {
  const { clock, store, publisher, read, current } = await setUp();
  publisher.publish(new Map([[web, row()]]));
  await clock.advance(5000);
  const first = await read(web);
  assert.equal(first?.record.active, 'active');
  assert.equal(first?.kv.lease, current.lease?.id);
  const { revision } = store;
  publisher.publish(new Map([[web, row()]]));
  await clock.advance(5000);
  assert.equal(store.revision, revision);
  publisher.publish(new Map([[web, row({ sub: 'reloading' })]]));
  await clock.advance(5000);
  assert.equal((await read(web))?.record.since, first?.record.since, 'active has not changed');
  publisher.publish(new Map([[web, row({ active: 'failed', sub: 'failed' })]]));
  await clock.advance(0);
  assert.equal((await read(web))?.record.since, clock.now());
  await publisher.close();
});

test('a row that is no longer published is deleted; other machines keep theirs', async () => {
  const { clock, store, publisher, read } = await setUp();
  const other = keys.state(web, parseMachineId('f'.repeat(32)));
  await store.transact({ success: [{ kind: 'put', key: other, value: new Uint8Array() }] });
  publisher.publish(new Map([[web, row()]]));
  await clock.advance(0);
  publisher.publish(new Map());
  await clock.advance(0);
  assert.equal(await read(web), undefined);
  assert.equal((await store.range({ from: other })).kvs.length, 1);
  await publisher.close();
});

test('many rows go in full transactions', async () => {
  const { clock, store, publisher } = await setUp();
  const names = Array.from({ length: 300 }, (_, index) => parseUnitName(`u@${index}.service`));
  const { revision } = store;
  publisher.publish(new Map(names.map((name) => [name, row()])));
  await clock.advance(0);
  assert.equal((await store.range(ranges.states)).kvs.length, 300);
  assert.equal(store.revision - revision, 3);
  await publisher.close();
});

test('a farewell is seen as one deletion, whether there was a row or not', async () => {
  const { clock, publisher, deletes, read } = await setUp();
  const gone = row({ load: 'not-found', active: 'inactive' });
  publisher.acknowledge(web, gone);
  await clock.advance(0);
  assert.deepEqual(deletes, [keys.state(web, machine)]);
  publisher.publish(new Map([[web, row()]]));
  await clock.advance(0);
  publisher.acknowledge(web, gone);
  await clock.advance(0);
  publisher.publish(new Map());
  await clock.advance(1000);
  assert.equal(deletes.length, 2);
  assert.equal(await read(web), undefined);
  await publisher.close();
});

test('a farewell whose answer was lost is not seen twice', async () => {
  const { clock, store, publisher, deletes } = await setUp();
  publisher.publish(new Map([[web, row()]]));
  await clock.advance(0);
  store.loseNextReply();
  publisher.acknowledge(web, row({ active: 'inactive' }));
  await clock.advance(10_000);
  assert.equal(deletes.length, 1);
  await publisher.close();
});

test('a write that was given up for lost and comes late changes nothing', async () => {
  const { clock, store, publisher, read } = await setUp();
  publisher.publish(new Map([[web, row({ active: 'activating' })]]));
  await clock.advance(0);
  const transact = store.transact.bind(store);
  let late: (() => Promise<unknown>) | undefined;
  store.transact = (transaction) => {
    store.transact = transact;
    late = () => transact(transaction);
    return Promise.reject(new StoreError('uncertain', 'no answer'));
  };
  publisher.publish(new Map([[web, row({ active: 'failed' })]]));
  await clock.advance(0);
  publisher.publish(new Map([[web, row()]]));
  await clock.advance(10_000);
  assert.equal((await read(web))?.record.active, 'active');
  await late?.();
  assert.equal((await read(web))?.record.active, 'active');
  publisher.publish(new Map());
  await clock.advance(0);
  await late?.();
  assert.equal(await read(web), undefined);
  await publisher.close();
});

test('nor if by then all is again as it was before that write', async () => {
  const { clock, store, publisher, read } = await setUp();
  publisher.publish(new Map([[web, row()]]));
  await clock.advance(0);
  const since = (await read(web))?.record.since;
  const transact = store.transact.bind(store);
  let late: (() => Promise<unknown>) | undefined;
  store.transact = (transaction) => {
    store.transact = transact;
    late = () => transact(transaction);
    return Promise.reject(new StoreError('uncertain', 'no answer'));
  };
  publisher.publish(new Map([[web, row({ active: 'failed' })]]));
  await clock.advance(0);
  publisher.publish(new Map([[web, row()]]));
  await clock.advance(10_000);
  await late?.();
  await clock.advance(10_000);
  assert.deepEqual((await read(web))?.record, { ...row(), since });
  const { revision } = store;
  publisher.doubt();
  await clock.advance(10_000);
  assert.equal(store.revision, revision);
  await publisher.close();
});

test('a write whose request was lost is made again', async () => {
  const { clock, store, publisher, read } = await setUp();
  store.loseNextRequest();
  publisher.publish(new Map([[web, row()]]));
  await clock.advance(10_000);
  assert.equal((await read(web))?.record.active, 'active');
  await publisher.close();
});

test('everything is written again on a new lease, and nothing without one', async () => {
  const { clock, store, publisher, current, read } = await setUp();
  publisher.publish(new Map([[web, row()]]));
  await clock.advance(0);
  const since = (await read(web))?.record.since;
  if (current.lease !== undefined) await store.revokeLease(current.lease.id);
  current.lease = undefined;
  publisher.wake();
  await clock.advance(10_000);
  assert.equal(await read(web), undefined);
  const { id } = await store.grantLease(60);
  current.lease = { id, isFresh: () => true };
  publisher.wake();
  await clock.advance(0);
  assert.equal((await read(web))?.kv.lease, id);
  assert.equal((await read(web))?.record.since, since);
  await publisher.close();
});

for (const [first, waitMs] of [
  ['what its units do', 0],
  ['its rows', 1000],
] as const)
  test(`a new process goes on with the rows of the old one without writing, if it learns of ${first} first`, async () => {
    const { clock, store, publisher, current, read } = await setUp();
    publisher.publish(new Map([[web, row()]]));
    await clock.advance(0);
    await publisher.close();
    const since = (await read(web))?.record.since;
    await clock.advance(5000);
    const { revision } = store;
    const next = new StatePublisher({ store, clock, log: silentLogger, machine, lease: () => current.lease });
    next.start();
    await clock.advance(waitMs);
    next.publish(new Map([[web, row()]]));
    await clock.advance(1000);
    assert.equal(store.revision, revision);
    assert.equal((await read(web))?.record.since, since);
    await next.close();
  });

test('a row of an earlier process that can not be read is put again, and holds up no other', async () => {
  const { clock, store, publisher, current, read } = await setUp();
  await publisher.close();
  const lease = current.lease?.id;
  assert.ok(lease !== undefined);
  const value = new TextEncoder().encode('{');
  await store.transact({ success: [{ kind: 'put', key: keys.state(web, machine), value, lease }] });
  const next = new StatePublisher({ store, clock, log: silentLogger, machine, lease: () => current.lease });
  const db = parseUnitName('db.service');
  next.publish(new Map([web, db].map((name) => [name, row()])));
  next.start();
  await clock.advance(1000);
  assert.equal((await read(web))?.record.active, 'active');
  assert.equal((await read(db))?.record.active, 'active');
  await next.close();
});
