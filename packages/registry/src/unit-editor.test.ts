import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { silentLogger, TestClock } from '@flotilla/runtime';
import { parseUnitName, type UnitHash } from '@flotilla/unit';
import { keys } from './keys.js';
import { MemoryStore } from './memory-store.js';
import { decodeRecord, type UnitRecord } from './records.js';
import { type Store, StoreError, type Transaction } from './store.js';
import type { UnitContent } from './unit-change.js';
import { deleteUnit } from './unit-deleter.js';
import { putUnit } from './unit-editor.js';
import { findUnit } from './unit-reader.js';

const name = parseUnitName('a.service');

function content(text: string, options: Partial<UnitContent> = {}): UnitContent {
  const hash = Buffer.from(text).toString('hex').padEnd(40, '0') as UnitHash;
  return { file: Buffer.from(text), hash, isGlobal: false, isVerbatim: true, ...options };
}

function setUp() {
  const store = new MemoryStore({ clock: new TestClock() });
  const access = { store, log: silentLogger };
  const read = async (key: string) => {
    const kv = (await store.range({ from: key })).kvs[0];
    return kv === undefined ? undefined : { ...decodeRecord<UnitRecord>(key, kv.value), created: kv.createRevision };
  };
  return { store, access, read };
}

/** `store`, with something done just before its next transaction that writes. */
function beforeNextWrite(store: MemoryStore, act: () => Promise<unknown>): Store {
  let isArmed = true;
  const wrapped = {
    range: store.range.bind(store),
    async transact(transaction: Transaction) {
      if (isArmed && transaction.compares !== undefined) {
        isArmed = false;
        await act();
      }
      return store.transact(transaction);
    },
  };
  return new Proxy<Store>(store, { get: (target, key) => Reflect.get(key in wrapped ? wrapped : target, key) });
}

describe('putUnit', () => {
  test('creates a unit with its file in one transaction', async () => {
    const { store, access, read } = setUp();
    assert.equal(await putUnit(access, name, { content: content('x') }), 'created');
    const unit = await read(keys.unit(name));
    const [file] = (await store.range({ from: keys.unitFile(unit?.file ?? '') })).kvs;
    assert.equal(Buffer.from(file?.value ?? []).toString(), 'x');
    assert.equal(file?.createRevision, unit?.created);
    assert.equal((await store.range({ from: keys.global(name) })).kvs.length, 0);
  });

  test('puts a file again that is already there, so that no deletion meant for an older use hits it', async () => {
    const { store, access, read } = setUp();
    await putUnit(access, name, { content: content('x') });
    const key = keys.unitFile((await read(keys.unit(name)))?.file ?? '');
    const older = (await store.range({ from: key })).kvs[0]?.modRevision ?? 0;
    await putUnit(access, parseUnitName('b.service'), { content: content('x') });
    assert.ok(((await store.range({ from: key })).kvs[0]?.modRevision ?? 0) > older);
  });

  test('keeps the identity of a unit whose content or state changes', async () => {
    const { access, read } = setUp();
    await putUnit(access, name, { content: content('x') });
    const created = (await read(keys.unit(name)))?.created;
    assert.equal(await putUnit(access, name, { content: content('y') }), 'replaced');
    assert.equal(await putUnit(access, name, { desiredState: 'launched' }), 'updated');
    assert.equal((await read(keys.unit(name)))?.created, created);
    assert.equal(await putUnit(access, name, { desiredState: 'launched' }), 'unchanged');
  });

  test('keeps a copy of a global unit, which has the identity of the unit', async () => {
    const { access, read } = setUp();
    await putUnit(access, name, { content: content('x', { isGlobal: true }) });
    const first = await read(keys.global(name));
    assert.equal(first?.created, (await read(keys.unit(name)))?.created);
    assert.equal(first?.uid, undefined);
    await putUnit(access, name, { desiredState: 'launched' });
    const copy = await read(keys.global(name));
    assert.deepEqual([copy?.desiredState, copy?.uid], ['launched', (await read(keys.unit(name)))?.created]);
  });

  test('makes and deletes the copy when a unit becomes global and ceases to be', async () => {
    const { access, read } = setUp();
    await putUnit(access, name, { content: content('x') });
    await putUnit(access, name, { content: content('y', { isGlobal: true }) });
    const copy = await read(keys.global(name));
    assert.equal(copy?.uid, (await read(keys.unit(name)))?.created);
    assert.notEqual(copy?.created, copy?.uid);
    await putUnit(access, name, { content: content('z') });
    assert.equal(await read(keys.global(name)), undefined);
  });

  test('decides anew when another writer was faster', async () => {
    const { store, access, read } = setUp();
    await putUnit(access, name, { content: content('x') });
    const other = { ...access, store: store.client() };
    const raced = beforeNextWrite(store, () => putUnit(other, name, { content: content('y'), desiredState: 'loaded' }));
    assert.equal(await putUnit({ ...access, store: raced }, name, { desiredState: 'launched' }), 'updated');
    const unit = await read(keys.unit(name));
    assert.deepEqual([unit?.hash, unit?.desiredState], [content('y').hash, 'launched']);
  });

  test('gives up when others keep being faster', async () => {
    const { store, access } = setUp();
    await putUnit(access, name, { content: content('x') });
    let round = 0;
    const rival = { ...access, store: store.client() };
    const raced = new Proxy<Store>(store, {
      get: (target, key) =>
        key !== 'transact'
          ? Reflect.get(target, key)
          : async (transaction: Transaction) => {
              if (transaction.compares !== undefined) await putUnit(rival, name, { content: content(`y${round++}`) });
              return store.transact(transaction);
            },
    });
    assert.equal(await putUnit({ ...access, store: raced }, name, { desiredState: 'loaded' }), 'conflict');
  });

  for (const [what, desiredState] of [
    ['new', undefined],
    ['new and launched', 'launched'],
  ] as const)
    test(`is done when the reply is lost but the write of what is ${what} took place`, async () => {
      const { store, access, read } = setUp();
      const lossy = beforeNextWrite(store, async () => store.loseNextReply());
      const change = { content: content('x'), desiredState };
      assert.equal(await putUnit({ ...access, store: lossy }, name, change), 'created');
      const unit = await read(keys.unit(name));
      assert.deepEqual(
        [unit?.desiredState, unit?.order],
        [desiredState ?? 'inactive', desiredState === undefined ? 0 : 1],
      );
    });

  test('writes again when the request was lost', async () => {
    const { store, access } = setUp();
    const lossy = beforeNextWrite(store, async () => store.loseNextRequest());
    assert.equal(await putUnit({ ...access, store: lossy }, name, { content: content('x') }), 'created');
    assert.ok(await findUnit(access, name));
  });

  test('a lost reply does not raise an order twice', async () => {
    const { store, access, read } = setUp();
    await putUnit(access, name, { content: content('x') });
    const lossy = beforeNextWrite(store, async () => store.loseNextReply());
    assert.equal(await putUnit({ ...access, store: lossy }, name, { desiredState: 'launched' }), 'updated');
    assert.equal((await read(keys.unit(name)))?.order, 1);
  });

  test('is done when the reply is lost and others have gone on from there', async () => {
    const { store, access, read } = setUp();
    let isLost = false;
    const rival = { ...access, store: store.client() };
    const lossy = new Proxy<Store>(store, {
      get: (target, key) =>
        key !== 'transact'
          ? Reflect.get(target, key)
          : async (transaction: Transaction) => {
              const result = await store.transact(transaction);
              if (isLost || transaction.compares === undefined) return result;
              isLost = true;
              await putUnit(rival, name, { desiredState: 'launched' });
              throw new StoreError('uncertain', 'the reply was lost');
            },
    });
    assert.equal(await putUnit({ ...access, store: lossy }, name, { content: content('x') }), 'created');
    assert.equal((await read(keys.unit(name)))?.desiredState, 'launched');
  });

  test('says that it does not know when the store is gone after the write', async () => {
    const { store, access } = setUp();
    const lossy = new Proxy<Store>(store, {
      get: (target, key) =>
        key !== 'transact'
          ? Reflect.get(target, key)
          : async (transaction: Transaction) => {
              const result = await store.transact(transaction);
              if (transaction.compares === undefined) return result;
              store.cut();
              throw new StoreError('uncertain', 'the reply was lost');
            },
    });
    await assert.rejects(putUnit({ ...access, store: lossy }, name, { content: content('x') }), { kind: 'uncertain' });
  });
});

describe('deleteUnit', () => {
  test('deletes the unit and its copy, and leaves the rest to the leader', async () => {
    const { store, access } = setUp();
    await putUnit(access, name, { content: content('x', { isGlobal: true }) });
    assert.equal(await deleteUnit(access, name), 'deleted');
    const left = await store.range({ from: '!', to: '~' });
    assert.deepEqual(
      left.kvs.map(({ key }) => key.split('/')[0]),
      ['unit-files'],
    );
    assert.equal(await deleteUnit(access, name), 'absent');
  });

  test('deletes what can not be read', async () => {
    const { store, access } = setUp();
    await store.transact({ success: [{ kind: 'put', key: keys.unit(name), value: Buffer.from('?') }] });
    await assert.rejects(findUnit(access, name), { code: 'bad-record' });
    assert.equal(await deleteUnit(access, name), 'deleted');
  });

  test('is done when the reply is lost but the unit is gone, and does not know otherwise', async () => {
    const { store, access } = setUp();
    await putUnit(access, name, { content: content('x') });
    const losing = (lose: () => void) => ({ ...access, store: beforeNextWrite(store, async () => lose()) });
    await assert.rejects(
      deleteUnit(
        losing(() => store.loseNextRequest()),
        name,
      ),
      { kind: 'uncertain' },
    );
    assert.equal(
      await deleteUnit(
        losing(() => store.loseNextReply()),
        name,
      ),
      'deleted',
    );
  });
});
