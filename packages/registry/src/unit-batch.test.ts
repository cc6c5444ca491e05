import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LaunchState, MachineId } from '@flotilla/cluster';
import { silentLogger, TestClock } from '@flotilla/runtime';
import { parseUnitName, type UnitHash, type UnitName } from '@flotilla/unit';
import fc from 'fast-check';
import { keys } from './keys.js';
import { MemoryStore } from './memory-store.js';
import { decodeRecord, encodeRecord, type StateRecord, type UnitRecord } from './records.js';
import { type Store, StoreError, type Transaction, type TransactionResult } from './store.js';
import type { Owned, UnitChange, UnitContent } from './unit-change.js';
import { deleteUnit, deleteUnits } from './unit-deleter.js';
import type { UnitResult } from './unit-edit.js';
import { putUnit, putUnits } from './unit-editor.js';

type Send = (transaction: Transaction) => Promise<TransactionResult>;

function content(text: string, options: Partial<UnitContent> = {}): UnitContent {
  const hash = Buffer.from(text).toString('hex').slice(0, 40).padEnd(40, '0') as UnitHash;
  return { file: Buffer.from(text), hash, isGlobal: false, isVerbatim: true, ...options };
}

function instances(count: number): readonly UnitName[] {
  return Array.from({ length: count }, (_, at) => parseUnitName(`web@${at + 1}.service`));
}

function all(names: readonly UnitName[], change: UnitChange): Map<UnitName, UnitChange> {
  return new Map(names.map((name) => [name, change]));
}

/** A store whose calls are counted, and may be meddled with. */
function setUp() {
  const store = new MemoryStore({ clock: new TestClock() });
  const counted = {
    calls: 0,
    intercept: undefined as ((transaction: Transaction, send: Send) => Promise<TransactionResult>) | undefined,
  };
  const send: Send = (transaction) => store.transact(transaction);
  const wrapped = {
    range: () => assert.fail('a batch reads with transactions'),
    transact: (transaction: Transaction) => {
      counted.calls++;
      return counted.intercept === undefined ? send(transaction) : counted.intercept(transaction, send);
    },
  };
  const proxy = new Proxy<Store>(store, { get: (of, key) => Reflect.get(key in wrapped ? wrapped : of, key) });
  const find = async (name: UnitName) => {
    const kv = (await store.range({ from: keys.unit(name) })).kvs[0];
    return kv && decodeRecord<UnitRecord>(kv.key, kv.value);
  };
  const log = silentLogger;
  return { store, counted, find, access: { store: proxy, log }, rival: { store: store.client(), log } };
}

function outcomes(results: ReadonlyMap<UnitName, UnitResult<string | Owned>>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const result of results.values()) {
    const found = result.kind === 'settled' ? result.outcome : kindOf(result.error);
    const outcome = typeof found === 'string' ? found : found.kind;
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return counts;
}

function kindOf(error: unknown): string {
  return error instanceof StoreError ? error.kind : String(error);
}

async function calls<T>(counted: { calls: number }, act: () => Promise<T>): Promise<readonly [number, T]> {
  counted.calls = 0;
  const result = await act();
  return [counted.calls, result];
}

describe('a batch costs', () => {
  const launched = { content: content('x'), desiredState: 'launched' } as const;
  const rows: readonly {
    says: string;
    before?: UnitChange;
    change: UnitChange;
    count: number;
    most: number;
    outcome: string;
  }[] = [
    { says: 'a new unit', change: launched, count: 1, most: 1, outcome: 'created' },
    {
      says: 'a unit to start',
      before: { content: content('x') },
      change: { desiredState: 'launched' },
      count: 1,
      most: 2,
      outcome: 'updated',
    },
    {
      says: 'a unit that is started already',
      before: launched,
      change: launched,
      count: 1,
      most: 1,
      outcome: 'unchanged',
    },
    { says: '100 instances of a template', change: launched, count: 100, most: 1, outcome: 'created' },
    {
      says: '100 of them that are there and stopped',
      before: { content: content('x') },
      change: launched,
      count: 100,
      most: 2,
      outcome: 'updated',
    },
    {
      says: '100 of them that are launched',
      before: launched,
      change: launched,
      count: 100,
      most: 4,
      outcome: 'unchanged',
    },
    {
      says: '100 of them to stop',
      before: launched,
      change: { desiredState: 'loaded' },
      count: 100,
      most: 2,
      outcome: 'updated',
    },
    {
      says: '100 of them that are not there',
      change: { desiredState: 'loaded' },
      count: 100,
      most: 1,
      outcome: 'absent',
    },
    {
      says: '100 global instances',
      change: { content: content('g', { isGlobal: true }) },
      count: 100,
      most: 2,
      outcome: 'created',
    },
    { says: '1,000 instances', change: launched, count: 1_000, most: 8, outcome: 'created' },
  ];
  for (const { says, before, change, count, most, outcome } of rows)
    test(`${says}: ${most} ${most === 1 ? 'call' : 'calls'}`, async () => {
      const { access, counted, find } = setUp();
      const names = instances(count);
      if (before !== undefined) await putUnits(access, all(names, before));
      const [made, results] = await calls(counted, () => putUnits(access, all(names, change)));
      assert.deepEqual(outcomes(results), { [outcome]: count });
      assert.equal(made, most);
      for (const name of names)
        assert.equal(
          (await find(name))?.desiredState,
          outcome === 'absent' ? undefined : (change.desiredState ?? 'inactive'),
        );
    });

  test('100 deletions: 4 calls', async () => {
    const { access, counted, store } = setUp();
    await putUnits(access, all(instances(80), { content: content('g', { isGlobal: true }) }));
    const [made, results] = await calls(counted, () => deleteUnits(access, instances(100)));
    assert.deepEqual(outcomes(results), { deleted: 80, absent: 20 });
    assert.equal(made, 4);
    const left = await store.range({ from: '!', to: '~' });
    assert.deepEqual(
      left.kvs.map(({ key }) => key.split('/')[0]),
      ['unit-files'],
    );
  });

  test('large files: no more than fit into a request', async () => {
    const { access, counted } = setUp();
    const files = instances(5).map((name, at) => [name, { content: content(`${at}`.repeat(1024 * 1024)) }] as const);
    const [made, results] = await calls(counted, () => putUnits(access, new Map(files)));
    assert.deepEqual([made, outcomes(results)], [5, { created: 5 }]);
  });
});

describe('in a batch, one unit', () => {
  const names = instances(100);
  const [hot = assert.fail(), other = assert.fail()] = names;

  test('that others keep changing is a conflict, and holds nobody up', async () => {
    const { access, counted, rival, find } = setUp();
    await putUnits(access, all(names, { content: content('x') }));
    let round = 0;
    counted.intercept = async (transaction, send) => {
      if (transaction.compares?.some(({ key }) => key === keys.unit(hot)) === true)
        await putUnit(rival, hot, { content: content(`y${round++}`) });
      return send(transaction);
    };
    const [made, results] = await calls(counted, () => putUnits(access, all(names, { desiredState: 'loaded' })));
    assert.deepEqual(outcomes(results), { updated: 99, conflict: 1 });
    assert.equal((await find(other))?.desiredState, 'loaded');
    assert.ok(made <= 10, `${made} calls`);
  });

  test('that another writer makes first is changed from there, alone', async () => {
    const { access, counted, rival, find } = setUp();
    let isRaced = false;
    counted.intercept = async (transaction, send) => {
      if (!isRaced) await putUnit(rival, hot, { content: content('y'), desiredState: 'loaded' });
      isRaced = true;
      return send(transaction);
    };
    const [made, results] = await calls(counted, () => putUnits(access, all(names, { content: content('x') })));
    assert.deepEqual(outcomes(results), { created: 99, replaced: 1 });
    assert.deepEqual([made, (await find(hot))?.hash], [2, content('x').hash]);
  });

  test('whose record can’t be read fails alone, and can be deleted', async () => {
    const { access, store } = setUp();
    await store.transact({ success: [{ kind: 'put', key: keys.unit(hot), value: Buffer.from('?') }] });
    for (const change of [{ content: content('x') }, { desiredState: 'loaded' }] as const) {
      const results = await putUnits(access, all(names, change));
      const result = results.get(hot);
      assert.equal(result?.kind === 'failed' && (result.error as { code?: string }).code, 'bad-record');
      assert.equal(results.get(other)?.kind, 'settled');
    }
    assert.deepEqual(outcomes(await deleteUnits(access, [hot, other])), { deleted: 2 });
  });

  test('is started once more only if its own state asks for it', async () => {
    const { access, store, find } = setUp();
    await putUnits(access, all(names, { content: content('x'), desiredState: 'launched' }));
    for (const name of [hot, other]) {
      const uid = (await store.range({ from: keys.unit(name) })).kvs[0]?.createRevision ?? 0;
      const active = name === hot ? 'failed' : 'active';
      const row: StateRecord = {
        load: 'loaded',
        active,
        sub: '',
        hash: content('x').hash,
        uid,
        order: 1,
        isLaunched: true,
        since: 0,
      };
      const machine = 'm1' as MachineId;
      await store.transact({
        success: [
          { kind: 'put', key: keys.placement(name), value: encodeRecord({ machine }) },
          { kind: 'put', key: keys.state(name, machine), value: encodeRecord(row) },
        ],
      });
    }
    const results = await putUnits(access, all(names, { desiredState: 'launched' }));
    assert.deepEqual(outcomes(results), { unchanged: 99, updated: 1 });
    assert.deepEqual([(await find(hot))?.order, (await find(other))?.order], [2, 1]);
  });
});

describe('when the store does not answer, a batch', () => {
  const names = instances(100);
  const change = { content: content('x'), desiredState: 'launched' } as const;

  for (const lose of ['loseNextReply', 'loseNextRequest'] as const)
    test(`is written once after ${lose}`, async () => {
      const { access, store, find } = setUp();
      store[lose]();
      assert.deepEqual(outcomes(await putUnits(access, all(names, change))), { created: 100 });
      for (const name of names) assert.equal((await find(name))?.order, 1);
    });

  test('says of each unit what is not known of it', async () => {
    const { access, counted, store } = setUp();
    let writes = 0;
    counted.intercept = async (transaction, send) => {
      const result = await send(transaction);
      if (++writes < 2) return result;
      store.cut();
      throw new StoreError('uncertain', 'the reply was lost');
    };
    const results = await putUnits(access, all(instances(200), change));
    assert.deepEqual(outcomes(results), { created: 127, uncertain: 73 });
  });

  test('fails whole if it was never reached', async () => {
    const { access, store } = setUp();
    store.cut();
    assert.deepEqual(outcomes(await putUnits(access, all(names, change))), { unavailable: 100 });
    assert.deepEqual(outcomes(await deleteUnits(access, names)), { unavailable: 100 });
  });

  test('finds deletions done that were', async () => {
    const { access, store, counted } = setUp();
    await putUnits(access, all(names, change));
    let lose: (() => void) | undefined = () => store.loseNextReply();
    counted.intercept = (transaction, send) => {
      if (transaction.compares !== undefined) lose?.();
      if (transaction.compares !== undefined) lose = undefined;
      return send(transaction);
    };
    assert.deepEqual(outcomes(await deleteUnits(access, names)), { deleted: 100 });
    await putUnits(access, all(names.slice(0, 50), change));
    lose = () => store.loseNextRequest();
    assert.deepEqual(outcomes(await deleteUnits(access, names.slice(0, 50))), { uncertain: 50 });
  });
});

test('a batch ends as its operations do alone, however it is split', async () => {
  type Act = { readonly name: UnitName; readonly change: UnitChange | 'delete' };
  const name = fc.constantFrom(
    ...['a.service', 'b.service', 'c@.service', 'c@1.service', 'c@2.service'].map(parseUnitName),
  );
  const desiredState = fc.constantFrom<LaunchState | undefined>(undefined, 'inactive', 'loaded', 'launched');
  const file = fc.option(
    fc.record({ text: fc.constantFrom('x', 'y'), isGlobal: fc.boolean(), isVerbatim: fc.boolean() }),
    { nil: undefined },
  );
  const change = fc
    .record({ desiredState, file })
    .map((of): UnitChange => ({ desiredState: of.desiredState, content: of.file && content(of.file.text, of.file) }));
  const act: fc.Arbitrary<Act> = fc.record({
    name,
    change: fc.oneof({ weight: 4, arbitrary: change }, fc.constant('delete' as const)),
  });
  const batch = fc.uniqueArray(act, { selector: (each) => each.name });
  const alone = async (access: { store: Store; log: typeof silentLogger }, acts: readonly Act[]) => {
    const said: string[] = [];
    for (const { name, change } of acts)
      said.push(
        `${name} ${change === 'delete' ? await deleteUnit(access, name) : await putUnit(access, name, change)}`,
      );
    return said.sort();
  };
  const together = async (access: { store: Store; log: typeof silentLogger }, acts: readonly Act[]) => {
    const changes = acts.flatMap(({ name, change }) => (change === 'delete' ? [] : [[name, change] as const]));
    const deletions = acts.flatMap(({ name, change }) => (change === 'delete' ? [name] : []));
    const results = [...(await putUnits(access, new Map(changes))), ...(await deleteUnits(access, deletions))];
    return results
      .map(
        ([name, result]) =>
          `${name} ${result.kind === 'settled' ? String(typeof result.outcome === 'object' ? result.outcome.kind : result.outcome) : 'failed'}`,
      )
      .sort();
  };
  const read = async (store: Store, wereGlobal: Set<string>) =>
    (await store.range({ from: '!', to: '~' })).kvs.map(({ key, value }) => {
      if (key.startsWith('unit-files/')) return [key];
      const { uid, order, ...record } = decodeRecord<UnitRecord>(key, value);
      if (record.isGlobal) wereGlobal.add(key);
      // A global unit's next order depends on the store's revision.
      return [key, record, uid === undefined, wereGlobal.has(key) ? order > 0 : order];
    });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(batch, fc.nat(5)), { maxLength: 5 }), async (batches) => {
      const [one, other, wereGlobal] = [setUp(), setUp(), new Set<string>()];
      for (const [acts, at] of batches) {
        const said = [
          ...(await together(other.access, acts.slice(0, at))),
          ...(await together(other.access, acts.slice(at))),
        ];
        assert.deepEqual(said.sort(), await alone(one.access, acts));
        assert.deepEqual(await read(other.store, wereGlobal), await read(one.store, wereGlobal));
      }
    }),
  );
});
