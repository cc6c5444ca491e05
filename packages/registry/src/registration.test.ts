import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMachineId } from '@flotilla/cluster';
import { type Logger, silentLogger, TestClock } from '@flotilla/runtime';
import { keys } from './keys.js';
import { MemoryStore } from './memory-store.js';
import { decodeRecord, type MachineRecord, type MemberRecord } from './records.js';
import { Registration, type RegistrationOptions } from './registration.js';
import type { SavedLease } from './saved-lease.js';
import { StoreError } from './store.js';

const machine = parseMachineId('0123456789abcdef0123456789abcdef');
const record = { address: '10.0.0.1', metadata: {}, version: '1', instance: 'one', boot: 'b1', ttlSeconds: 30 };

function setUp() {
  const clock = new TestClock();
  const store = new MemoryStore({ clock });
  const disk: { saved: SavedLease | undefined } = { saved: undefined };
  const lines: string[] = [];
  const note = (message: string) => lines.push(message);
  const log: Logger = { ...silentLogger, info: note, warn: note, error: note };
  const register = (options: Partial<RegistrationOptions> = {}) => {
    const registration = new Registration({
      store,
      clock,
      log,
      machine,
      record,
      ttlSeconds: 30,
      storage: {
        load: async () => disk.saved,
        save: async (saved) => {
          disk.saved = saved;
        },
      },
      ...options,
    });
    registration.start();
    return registration;
  };
  const read = async <T extends object>(key: string) => {
    const kv = (await store.range({ from: key })).kvs[0];
    return kv === undefined ? undefined : { record: decodeRecord<T>(key, kv.value), kv };
  };
  return { clock, store, disk, lines, register, read };
}

test('registers under a lease, joins, and stays registered', async () => {
  const { clock, register, read } = setUp();
  const registration = register();
  await clock.advance(0);
  assert.equal(registration.isFresh(), true);
  assert.deepEqual((await read<MachineRecord>(keys.machine(machine)))?.record, record);
  assert.deepEqual((await read<MemberRecord>(keys.member(machine)))?.record, { is: 'joined', address: '10.0.0.1' });
  await clock.advance(300_000);
  assert.equal(registration.isFresh(), true);
  await registration.close();
});

test('a restarted daemon whose record is as it was writes nothing, so that it needs no room in the store', async () => {
  const { clock, store, register } = setUp();
  const first = register();
  await clock.advance(0);
  await first.close();
  store.raise('no-space');
  const { revision } = store;
  const second = register();
  await clock.advance(0);
  assert.equal(second.isFresh(), true);
  assert.equal(store.revision, revision);
  await second.close();
});

test('a restarted daemon takes over its lease: the record is never away', async () => {
  const { clock, register, read } = setUp();
  const first = register();
  await clock.advance(0);
  const before = (await read(keys.machine(machine)))?.kv;
  await first.close();
  assert.equal(first.isFresh(), false);
  await clock.advance(10_000);
  const second = register();
  await clock.advance(25_000);
  const after = (await read(keys.machine(machine)))?.kv;
  assert.equal(second.isFresh(), true);
  assert.equal(after?.lease, before?.lease);
  assert.equal(after?.createRevision, before?.createRevision);
  await second.close();
});

test('a restarted daemon that has lost its notes takes over the lease of its record', async () => {
  const { clock, disk, register, read } = setUp();
  const first = register();
  await clock.advance(0);
  const before = (await read(keys.machine(machine)))?.kv;
  await first.close();
  disk.saved = undefined;
  const second = register();
  await clock.advance(0);
  assert.equal(second.isFresh(), true);
  assert.equal((await read(keys.machine(machine)))?.kv.lease, before?.lease);
  assert.ok(disk.saved);
  await second.close();
});

test('a restarted daemon that is told of another agent_ttl has a lease of that life, and its record is never away', async () => {
  const { clock, register, read } = setUp();
  const first = register();
  await clock.advance(0);
  const before = (await read(keys.machine(machine)))?.kv;
  await first.close();
  const second = register({ ttlSeconds: 60 });
  await clock.advance(40_000);
  const after = (await read(keys.machine(machine)))?.kv;
  assert.equal(second.lease?.ttlSeconds, 60);
  assert.equal(after?.lease, second.lease?.id);
  assert.equal(after?.createRevision, before?.createRevision);
  await second.close();
});

test('after a reboot the old lease is waited for; the machine registers as soon as that is over', async () => {
  const { clock, store, register, read, lines } = setUp();
  const first = register();
  await clock.advance(0);
  await first.close();
  const ends = store.client();
  let endedAtMs = 0;
  ends.watch(
    { ranges: [{ from: keys.machine(machine), deletesOnly: true }], fromRevision: 1 },
    { onEvents: () => (endedAtMs = clock.monotonicMs()), onBroken() {} },
  );
  const second = register({ record: { ...record, boot: 'b2' } });
  let registeredAtMs = 0;
  second.onChange(() => (registeredAtMs = clock.monotonicMs()));
  await clock.advance(29_000);
  assert.equal(second.isFresh(), false);
  assert.equal((await read<MachineRecord>(keys.machine(machine)))?.record.boot, 'b1');
  assert.match(second.holdReason ?? '', /waiting for the end of an earlier record of this machine ID, at 10\.0\.0\.1/);
  await clock.advance(31_000);
  assert.equal((await read<MachineRecord>(keys.machine(machine)))?.record.boot, 'b2');
  assert.equal(second.holdReason, undefined);
  assert.ok(registeredAtMs - endedAtMs <= 500, `${registeredAtMs - endedAtMs} ms after the end of the old lease`);
  assert.deepEqual(
    lines.filter((line) => line !== 'registered'),
    ['waiting for an earlier record of this machine to end with its lease'],
  );
  await second.close();
  await ends.close();
});

for (const [what, difference] of [
  ['another installation', { instance: 'two', boot: 'b2' }],
  ['a copy of the installation on another host', { boot: 'b2' }],
] as const)
  test(`${what} with the same machine ID waits until the first is gone, says so, and leaves it alone`, async () => {
    const { clock, register, read, lines } = setUp();
    const first = register();
    await clock.advance(0);
    const before = (await read<MachineRecord>(keys.machine(machine)))?.kv;
    const copy = { storage: { load: async () => undefined, save: async () => {} } };
    const second = register({ record: { ...record, ...difference, address: '10.0.0.2' }, ...copy });
    await clock.advance(120_000);
    assert.equal(second.isFresh(), false);
    assert.match(second.holdReason ?? '', /another host, at 10\.0\.0\.1, has the same machine ID/);
    assert.equal(first.isFresh(), true);
    assert.deepEqual((await read(keys.machine(machine)))?.kv, before);
    const duplicate = 'another host has the same machine ID; this one stays out of the cluster until that is over';
    assert.equal(lines.filter((line) => line === duplicate).length, 1);
    assert.equal(lines.includes('pass failed; it is tried again'), false);
    await first.leave();
    await clock.advance(500);
    assert.equal(second.isFresh(), true);
    assert.equal((await read<MachineRecord>(keys.machine(machine)))?.record.address, '10.0.0.2');
    await second.close();
  });

for (const [title, prepare, expected] of [
  ['it is registered', () => {}, true],
  ['the store is away', (store: MemoryStore) => store.cut(), false],
] as const)
  test(`the first attempt has an answer when ${title}`, async () => {
    const { clock, store, register } = setUp();
    prepare(store);
    const registration = register();
    assert.equal(registration.firstAttempt.aborted, false);
    await clock.advance(0);
    assert.equal(registration.firstAttempt.aborted, true);
    assert.equal(registration.isFresh(), expected);
    await registration.close();
  });

test('says when its fence has passed, and registers again when the store is back', async () => {
  const { clock, store, register, lines } = setUp();
  const registration = register();
  await clock.advance(0);
  let changes = 0;
  registration.onChange(() => changes++);
  store.cut();
  await clock.advance(60_000);
  assert.equal(registration.isFresh(), false);
  assert.equal(changes, 1);
  assert.ok(lines.includes('Server monitor triggered: Monitor timed out before successful heartbeat'));
  store.heal();
  await clock.advance(30_000);
  assert.equal(registration.isFresh(), true);
  assert.equal(changes, 2);
  await registration.close();
});

test('a frozen machine says so in its record, until it is no longer', async () => {
  const { clock, register, read } = setUp();
  const registration = register();
  registration.setFrozen('another store');
  await clock.advance(0);
  assert.equal((await read<MachineRecord>(keys.machine(machine)))?.record.frozen, 'another store');
  registration.setFrozen(undefined);
  await clock.advance(0);
  assert.deepEqual((await read<MachineRecord>(keys.machine(machine)))?.record, record);
  await registration.close();
});

test('leaving says so, and takes the record and the lease away', async () => {
  const { clock, register, read, disk } = setUp();
  const registration = register();
  await clock.advance(0);
  await registration.leave();
  assert.equal(await read(keys.machine(machine)), undefined);
  assert.equal((await read<MemberRecord>(keys.member(machine)))?.record.is, 'left');
  assert.equal(disk.saved, undefined);
});

test('a machine that could not leave to the end, and goes on with its lease, is a member again', async () => {
  const { clock, store, register, read } = setUp();
  const first = register();
  await clock.advance(0);
  store.revokeLease = () => Promise.reject(new StoreError('unavailable', 'cut off'));
  await assert.rejects(first.leave(), (error: unknown) => error instanceof StoreError);
  assert.equal((await read<MemberRecord>(keys.member(machine)))?.record.is, 'left');
  const before = (await read(keys.machine(machine)))?.kv;
  const second = register();
  await clock.advance(0);
  assert.equal(second.isFresh(), true);
  assert.equal((await read(keys.machine(machine)))?.kv.createRevision, before?.createRevision);
  assert.equal((await read<MemberRecord>(keys.member(machine)))?.record.is, 'joined');
  await second.close();
});

test('a leave that was given up for lost and comes late does not say of a machine that is back that it has left', async () => {
  const { clock, store, register, read } = setUp();
  const first = register();
  await clock.advance(0);
  const transact = store.transact.bind(store);
  const late: (() => Promise<unknown>)[] = [];
  store.transact = (transaction) => {
    if (!transaction.success?.some(({ kind }) => kind === 'put')) return transact(transaction);
    store.transact = transact;
    late.push(() => transact(transaction));
    return Promise.reject(new StoreError('uncertain', 'no answer'));
  };
  await assert.rejects(first.leave(), (error: unknown) => error instanceof StoreError);
  await first.leave();
  const second = register();
  await clock.advance(1_000);
  assert.equal(second.isFresh(), true);
  assert.equal(late.length, 1);
  for (const write of late) await write();
  assert.equal((await read<MemberRecord>(keys.member(machine)))?.record.is, 'joined');
  await second.close();
});

test('who is not the holder of the record any more does not say that the machine has left', async () => {
  const { clock, store, register, read } = setUp();
  const first = register();
  await clock.advance(0);
  await store.revokeLease(first.lease?.id ?? '');
  const second = register({ record: { ...record, instance: 'two', address: '10.0.0.2' } });
  await clock.advance(100);
  assert.equal(second.isFresh(), true);
  await assert.rejects(first.leave(), (error: unknown) => error instanceof StoreError);
  assert.equal((await read<MemberRecord>(keys.member(machine)))?.record.is, 'joined');
  assert.equal((await read<MachineRecord>(keys.machine(machine)))?.record.address, '10.0.0.2');
  await first.close();
  await second.close();
});

test('a record that somebody deleted comes back', async () => {
  const { clock, store, register, read } = setUp();
  const registration = register();
  await clock.advance(0);
  await store.transact({ success: [{ kind: 'delete', from: keys.machine(machine) }] });
  await clock.advance(700_000);
  assert.deepEqual((await read<MachineRecord>(keys.machine(machine)))?.record, record);
  await registration.close();
});

test('who is not registered can not leave, and says so', async () => {
  const { clock, store, register, read } = setUp();
  const registration = register();
  await clock.advance(0);
  store.cut();
  await clock.advance(60_000);
  await assert.rejects(registration.leave(), (error: unknown) => error instanceof StoreError);
  store.heal();
  assert.equal((await read<MemberRecord>(keys.member(machine)))?.record.is, 'joined');
});

test('a lease that could not be saved is saved later, and does not hold up the registration', async () => {
  const { clock, disk, register } = setUp();
  let isFull = true;
  const registration = register({
    storage: {
      load: async () => disk.saved,
      save: async (saved) => {
        if (isFull) throw new Error('no space left on device');
        disk.saved = saved;
      },
    },
  });
  await clock.advance(60_000);
  assert.equal(registration.isFresh(), true);
  isFull = false;
  await clock.advance(60_000);
  assert.equal(disk.saved?.lease, registration.lease?.id);
  await registration.close();
});

for (const [whose, expected] of [
  ['nobody', true],
  ['this machine', true],
  ['somebody else', false],
] as const)
  test(`an unreadable machine record on a lease of ${whose} is ${expected ? 'replaced' : 'waited for'}`, async () => {
    const { clock, store, register, read, disk } = setUp();
    const lease = whose === 'nobody' ? undefined : (await store.grantLease(300)).id;
    if (whose === 'this machine' && lease !== undefined) disk.saved = { lease, machine, boot: 'b1', instance: 'one' };
    const put = { kind: 'put', key: keys.machine(machine), value: new TextEncoder().encode('{') } as const;
    await store.transact({ success: [{ ...put, ...(lease === undefined ? {} : { lease }) }] });
    const registration = register();
    await clock.advance(60_000);
    assert.equal(registration.isFresh(), expected);
    await clock.advance(300_000);
    assert.equal(registration.isFresh(), true);
    assert.deepEqual((await read<MachineRecord>(keys.machine(machine)))?.record, record);
    await registration.close();
  });

test('a daemon whose machine has another ID leaves the record of the former one to run out', async () => {
  const { clock, register, read } = setUp();
  const former = register();
  await clock.advance(0);
  await former.close();
  const other = parseMachineId('f'.repeat(32));
  const registration = register({ machine: other });
  await clock.advance(40_000);
  assert.equal(registration.isFresh(), true);
  assert.equal(await read(keys.machine(machine)), undefined);
  assert.ok(await read(keys.machine(other)));
  await registration.close();
});
