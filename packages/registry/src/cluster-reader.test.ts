import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { MachineId } from '@flotilla/cluster';
import { type Logger, silentLogger, TestClock } from '@flotilla/runtime';
import { parseUnitName, type UnitHash } from '@flotilla/unit';
import fc from 'fast-check';
import { findUnitState, listUnitStates } from './cluster-reader.js';
import { keys } from './keys.js';
import { listMachines } from './machine-reader.js';
import { MemoryStore } from './memory-store.js';
import type { Page, PageRequest } from './page.js';
import { encodeRecord } from './records.js';
import type { RangeRequest, Transaction } from './store.js';
import { putUnit } from './unit-editor.js';
import { findUnit, listUnits } from './unit-reader.js';

const machine = (id: string) => id as MachineId;
const hash = '1'.repeat(40) as UnitHash;

/** Counts calls, and can write and compact the history before one. */
class CountingStore extends MemoryStore {
  calls = 0;
  compactBefore: number | undefined;

  override async range(request: RangeRequest) {
    await this.#count();
    return super.range(request);
  }

  override async transact(transaction: Transaction) {
    await this.#count();
    return super.transact(transaction);
  }

  async #count() {
    if (++this.calls !== this.compactBefore) return;
    await super.transact({ success: [{ kind: 'put', key: keys.cluster, value: encodeRecord({}) }] });
    await this.compact(this.revision);
  }
}

function setUp(log: Logger = silentLogger) {
  const store = new CountingStore({ clock: new TestClock() });
  const access = { store, log };
  const put = (key: string, record: object) =>
    store.transact({ success: [{ kind: 'put', key, value: encodeRecord(record) }] });
  const createUnit = async (text: string, isGlobal = false) => {
    const name = parseUnitName(text);
    await putUnit(access, name, { content: { file: Buffer.from(text), hash, isGlobal, isVerbatim: true } });
    return name;
  };
  const putState = async (text: string, id: string, options: object = {}) => {
    const name = parseUnitName(text);
    const uid = (await store.range({ from: keys.unit(name) })).kvs[0]?.createRevision ?? 0;
    await put(keys.state(name, machine(id)), { active: 'active', uid, order: 0, ...options });
  };
  return { store, access, put, createUnit, putState };
}

async function walk<T>(list: (request: PageRequest) => Promise<Page<T>>, limit: number): Promise<T[]> {
  const entries: T[] = [];
  let after: string | undefined;
  do {
    const page = await list({ limit, after });
    assert.ok(page.entries.length <= limit);
    entries.push(...page.entries);
    after = page.next;
  } while (after !== undefined);
  return entries;
}

describe('a unit', () => {
  test('comes with its place, state, reason and file', async () => {
    const { access, put, createUnit, putState } = setUp();
    const name = await createUnit('a.service');
    await put(keys.placement(name), { machine: 'm1' });
    await put(keys.reason(name), { since: 1, machines: 0, misfits: {} });
    await putState('a.service', 'm1');
    await putState('a.service', 'm2', { active: 'failed' });
    const unit = await findUnit(access, name);
    assert.equal(unit?.placement, 'm1');
    assert.equal(unit?.state?.active, 'active');
    assert.equal(unit?.reason?.machines, 0);
    assert.equal(Buffer.from(unit?.file ?? []).toString(), 'a.service');
    assert.deepEqual((await listUnits(access, { limit: 9 })).entries, [unit]);
  });

  test('does not have the state of an earlier unit of the same name', async () => {
    const { access, put, createUnit, putState } = setUp();
    const name = await createUnit('a.service');
    await put(keys.placement(name), { machine: 'm1' });
    await putState('a.service', 'm1', { uid: 1 });
    assert.equal((await findUnit(access, name))?.state, undefined);
    assert.equal(await findUnitState(access, name), undefined);
  });

  test('with a desired state that is none is inactive', async () => {
    const { access, put } = setUp();
    const name = parseUnitName('a.service');
    await put(keys.unit(name), { hash, file: 'f', desiredState: 'flying', order: 0, isGlobal: false });
    assert.equal((await findUnit(access, name))?.record.desiredState, 'inactive');
  });

  test('that can not be read is logged and hides no other', async () => {
    const warnings: unknown[] = [];
    const { access, store, createUnit } = setUp({
      ...silentLogger,
      warn: (_message, fields) => warnings.push(fields?.unit),
    });
    await createUnit('a.service');
    await createUnit('c.service');
    await store.transact({
      success: [{ kind: 'put', key: keys.unit(parseUnitName('b.service')), value: Buffer.from('?') }],
    });
    assert.deepEqual(
      (await walk((request) => listUnits(access, request), 1)).map(({ name }) => name),
      ['a.service', 'c.service'],
    );
    assert.deepEqual(warnings, ['b.service']);
  });
});

describe('lists', () => {
  test('a list of units is the same however it is cut into pages', async () => {
    const { access, createUnit } = setUp();
    const names = ['a.service', 'a.service.service', 'a@.service', 'a@1.service', 'a-b.service', 'b.timer'];
    for (const name of names) await createUnit(name);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 8 }), async (limit) => {
        const listed = await walk((request) => listUnits(access, request), limit);
        assert.deepEqual(
          listed.map(({ name }) => name),
          [...names].sort(),
        );
      }),
    );
  });

  test('a full last page is the last one', async () => {
    const { access, createUnit } = setUp();
    await createUnit('a.service');
    await createUnit('b.service');
    assert.equal((await listUnits(access, { limit: 2 })).next, undefined);
    assert.equal((await listUnits(access, { limit: 1 })).next, 'a.service');
  });

  test('entries can be skipped, past the end too', async () => {
    const { access, createUnit } = setUp();
    for (const name of ['a.service', 'b.service', 'c.service']) await createUnit(name);
    const page = await listUnits(access, { limit: 1, skip: 1 });
    assert.deepEqual([page.entries.map(({ name }) => name), page.next], [['b.service'], 'b.service']);
    assert.deepEqual(await listUnits(access, { limit: 1, skip: 3 }), { entries: [], next: undefined });
  });

  test('a page of units costs three calls, also if there are states of all of them', async () => {
    const { access, store, put, createUnit, putState } = setUp();
    for (let index = 0; index < 100; index++) {
      const name = await createUnit(`a${index}.service`);
      await put(keys.placement(name), { machine: 'm1' });
      await putState(name, 'm1');
    }
    store.calls = 0;
    await listUnits(access, { limit: 64 });
    assert.equal(store.calls, 3);
    const { entries } = await listUnits(access, { limit: 100 });
    assert.equal(store.calls, 6);
    assert.ok(entries.every(({ state }) => state !== undefined));
  });

  test('a page has the states of units whose rows are not where their names are, or behind those of many machines', async () => {
    const { access, put, createUnit, putState } = setUp();
    // In a row's key a slash follows the name: rows are not in the order of the names.
    const names = ['a.service', 'a.service-b.service', 'b.service', 'b.service.c.service'];
    for (const each of names) {
      const name = await createUnit(each);
      await put(keys.placement(name), { machine: 'm1' });
      for (let machine = 1; machine <= 9; machine++) await putState(name, `m${machine}`);
    }
    for (const limit of [1, 2, 3, 4]) {
      const listed = await walk((request) => listUnits(access, request), limit);
      assert.deepEqual(
        listed.map(({ name, state }) => [name, state?.active]),
        names.map((name) => [name, 'active']),
      );
    }
  });

  test('a page whose revision is compacted meanwhile is read again', async () => {
    const { access, store, createUnit } = setUp();
    await createUnit('a.service');
    await createUnit('b.service');
    store.calls = 0;
    store.compactBefore = 2;
    assert.equal((await listUnits(access, { limit: 9 })).entries.length, 2);
    assert.equal(store.calls, 5);
  });

  test('unit states can be asked for by unit, by machine and by both, and come in pages', async () => {
    const { access, createUnit, putState } = setUp();
    for (const name of ['a.service', 'b.service', 'c.service']) {
      await createUnit(name);
      for (const id of ['m1', 'm2', 'm3']) await putState(name, id);
    }
    const list = (filter: object, limit: number) =>
      walk((request) => listUnitStates(access, { ...request, ...filter }), limit).then((states) =>
        states.map(({ name, machine: id }) => `${name[0]}${id}`).join(' '),
      );
    for (const limit of [1, 2, 3, 9]) {
      assert.equal(await list({}, limit), 'am1 am2 am3 bm1 bm2 bm3 cm1 cm2 cm3');
      assert.equal(await list({ name: 'b.service' }, limit), 'bm1 bm2 bm3');
      assert.equal(await list({ machine: 'm2' }, limit), 'am2 bm2 cm2');
      assert.equal(await list({ name: 'c.service', machine: 'm3' }, limit), 'cm3');
      assert.equal(await list({ name: 'd.service' }, limit), '');
    }
  });

  test('machines come by ID', async () => {
    const { access, put } = setUp();
    for (const id of ['m2', 'm1', 'm3']) await put(keys.machine(machine(id)), { address: id, metadata: {} });
    const listed = await walk((request) => listMachines(access, request), 2);
    assert.deepEqual(
      listed.map(({ id, record }) => [id, record.address]),
      [
        ['m1', 'm1'],
        ['m2', 'm2'],
        ['m3', 'm3'],
      ],
    );
  });
});

describe('the state of a unit', () => {
  test('is that of the machine that it is placed on, or nothing', async () => {
    const { access, put, createUnit, putState } = setUp();
    const name = await createUnit('a.service');
    assert.equal(await findUnitState(access, name), undefined);
    await putState('a.service', 'm1');
    await put(keys.placement(name), { machine: 'm2' });
    assert.equal(await findUnitState(access, name), undefined);
    await putState('a.service', 'm2');
    assert.equal((await findUnitState(access, name))?.machine, 'm2');
  });

  test('of a global unit is that of one of its machines', async () => {
    const { access, createUnit, putState } = setUp();
    const name = await createUnit('a.service', true);
    await putState('a.service', 'm1');
    await putState('a.service', 'm2');
    assert.equal((await findUnitState(access, name))?.machine, 'm1');
  });

  test('of a unit that was destroyed can be seen until it is gone', async () => {
    const { access, putState } = setUp();
    await putState('a.service', 'm1');
    assert.equal((await findUnitState(access, parseUnitName('a.service')))?.machine, 'm1');
  });
});
