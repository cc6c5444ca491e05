import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { keys, ranges } from '@flotilla/registry';
import { gate, isPlan, TestCluster, unitsOf } from './test-cluster.js';

/** A leader that has died is replaced after this long: its lease of 10 s, and the campaign. */
const successionMs = 12_000;

let cluster: TestCluster;
beforeEach(() => {
  cluster = new TestCluster();
});
afterEach(() => cluster.close());

describe('leadership', () => {
  test('a leader that resigns is followed at once', async () => {
    const { engine } = await cluster.lead('e1');
    const second = await cluster.lead('e2');
    assert.deepEqual([engine.isLeading, second.engine.isLeading], [true, false]);
    assert.equal(second.engine.findLeader()?.machine, 'e1');
    await engine.close({ resign: true });
    await cluster.settle();
    assert.equal(second.engine.isLeading, true);
    const said = cluster.lines.filter(({ level }) => level === 'info').map(({ message }) => message);
    assert.deepEqual(said, ['Engine leadership acquired', 'Engine leader is e1', 'Engine leadership acquired']);
  });

  test('a leader that dies in mid-work leaves no unit unplaced once there is another one', async () => {
    const first = await cluster.lead('e1');
    await cluster.lead('e2');
    await cluster.join('m1');
    await cluster.settle();
    let plans = 0;
    first.store.before = async (transaction) => {
      if (!isPlan(transaction) || ++plans <= 2) return;
      await cluster.layout();
      first.store.client.cut();
    };
    const count = 400;
    await Promise.all(Array.from({ length: count }, (_, index) => cluster.submit(`u@${index}.service`)));
    await cluster.settle();
    const before = (await cluster.layout()).length;
    assert.ok(before > 0 && before < 2 * count);
    await cluster.clock.advance(successionMs);
    assert.equal((await cluster.layout()).length, 2 * count);
    assert.equal(first.engine.isLeading, false);
  });

  test('a leader that was stopped for longer than its lease changes nothing when it goes on', async () => {
    const first = await cluster.lead('e1');
    const second = await cluster.lead('e2');
    await cluster.join('m1');
    await cluster.join('m2');
    await cluster.settle();
    const thaw = gate();
    first.store.before = async (transaction) => {
      if (!isPlan(transaction)) return;
      first.store.client.cut();
      await thaw.opened;
      first.store.client.heal();
    };
    await cluster.submit('a.service');
    await cluster.settle();
    await cluster.clock.advance(successionMs);
    assert.equal(second.engine.isLeading, true);
    await cluster.lose('m1');
    await cluster.settle();
    const decided = await cluster.layout();
    assert.deepEqual(decided, ['a.service > m2', 'a.service @ m2']);
    thaw.open();
    await cluster.clock.advance(1_000);
    assert.deepEqual(await cluster.layout(), decided);
    assert.equal(first.engine.isLeading, false);
  });

  test('a leader whose key is another one by now is refused and steps down', async () => {
    const { store } = await cluster.lead('e1');
    await cluster.join('m1');
    await cluster.settle();
    store.before = async (transaction) => {
      if (isPlan(transaction))
        await cluster.write({ kind: 'delete', from: keys.leader }).then(() =>
          cluster.write({
            kind: 'put',
            key: keys.leader,
            value: new TextEncoder().encode('{"machine":"e9","address":""}'),
          }),
        );
    };
    await cluster.submit('a.service');
    await cluster.settle();
    assert.deepEqual(await cluster.layout(), []);
    assert.equal(store.transactions.filter(isPlan).length, 1);
    await cluster.submit('b.service');
    await cluster.clock.advance(5_000);
    assert.equal(store.transactions.filter(isPlan).length, 1);
    assert.ok(cluster.lines.some(({ message }) => message === 'Engine leadership changed from e1 to e9'));
  });

  test('a term that is over reads nothing more, although its last transaction was not answered', async () => {
    const { engine, store } = await cluster.lead('e1', { auditIntervalMs: 60_000 });
    await cluster.join('m1');
    await cluster.settle();
    const answer = gate();
    store.before = async (transaction) => {
      if (!isPlan(transaction)) return;
      await answer.opened;
      store.client.loseNextReply();
    };
    await cluster.submit('a.service');
    await cluster.settle();
    await cluster.write({ kind: 'delete', from: keys.leader });
    const other = new TextEncoder().encode('{"machine":"e9","address":""}');
    await cluster.write({ kind: 'put', key: keys.leader, value: other });
    await cluster.settle();
    assert.equal(engine.isLeading, false);
    const reads = store.reads;
    answer.open();
    await cluster.clock.advance(200_000);
    assert.equal(store.reads, reads);
  });

  test('a closed engine decides nothing more', async () => {
    const { engine, store } = await cluster.lead();
    await cluster.join('m1');
    await cluster.settle();
    await engine.close({ resign: false });
    await cluster.submit('a.service');
    await cluster.settle();
    assert.deepEqual(await cluster.layout(), []);
    assert.equal(store.transactions.filter(isPlan).length, 0);
    assert.equal(engine.isLeading, false);
  });
});

describe('a refused write', () => {
  test('only the unit that it failed on is decided again', async () => {
    const { store } = await cluster.lead();
    await cluster.join('m1');
    await cluster.settle();
    let isFirst = true;
    store.before = async (transaction) => {
      if (!isPlan(transaction) || !isFirst) return;
      isFirst = false;
      await cluster.submit('b.service', { order: 7 });
    };
    await Promise.all(['a', 'b', 'c'].map((stem) => cluster.submit(`${stem}.service`)));
    await cluster.settle();
    assert.deepEqual(store.transactions.filter(isPlan).map(unitsOf), [
      ['a.service', 'b.service', 'c.service'],
      ['a.service', 'c.service'],
      ['b.service'],
    ]);
    assert.equal((await cluster.findSchedule('b.service', 'm1'))?.order, 7);
    assert.equal((await cluster.layout()).length, 6);
  });

  test('a machine that goes while units are placed on it gets none of them', async () => {
    const { store } = await cluster.lead();
    await cluster.join('m1');
    await cluster.join('m2');
    await cluster.settle();
    let isFirst = true;
    store.before = async (transaction) => {
      if (!isPlan(transaction) || !isFirst) return;
      isFirst = false;
      await cluster.lose('m1');
    };
    await Promise.all(['a', 'b', 'c'].map((stem) => cluster.submit(`${stem}.service`)));
    await cluster.settle();
    const placements = (await cluster.layout()).filter((line) => line.includes('>'));
    assert.deepEqual(placements, ['a.service > m2', 'b.service > m2', 'c.service > m2']);
    for (const { createRevision, modRevision } of (await cluster.store.range(ranges.placements)).kvs)
      assert.equal(createRevision, modRevision, 'it was never placed elsewhere');
    assert.equal((await cluster.layout()).length, 6);
  });

  test('who was kept off by a unit that no longer conflicts when its write is refused is placed, too', async () => {
    const { store } = await cluster.lead();
    await cluster.join('m1');
    await cluster.settle();
    store.before = async (transaction) => {
      if (!isPlan(transaction)) return;
      store.before = async () => {};
      await cluster.submit('a.service');
    };
    await Promise.all([cluster.submit('a.service', { fleet: 'Conflicts=b.service' }), cluster.submit('b.service')]);
    await cluster.settle();
    assert.deepEqual(
      (await cluster.layout()).filter((line) => line.includes('>')),
      ['a.service > m1', 'b.service > m1'],
    );
  });

  test('it is not tried again before the mirror has caught up', async () => {
    const { store } = await cluster.lead();
    await cluster.join('m1');
    await cluster.settle();
    const watch = { isHeld: false };
    store.before = async (transaction) => {
      if (!isPlan(transaction) || watch.isHeld) return;
      watch.isHeld = true;
      store.client.cut();
      await cluster.submit('a.service', { order: 2 });
      store.client.transact = cluster.store.transact.bind(cluster.store);
    };
    await cluster.submit('a.service');
    await cluster.clock.advance(3_000);
    assert.equal(store.transactions.filter(isPlan).length, 1);
    store.client.heal();
    await cluster.settle();
    assert.equal(store.transactions.filter(isPlan).length, 2);
    assert.equal((await cluster.findSchedule('a.service', 'm1'))?.order, 2);
  });
});

describe('a store that does not answer', () => {
  for (const lose of ['loseNextReply', 'loseNextRequest'] as const) {
    test(`everything is read again, and each unit runs once (${lose})`, async () => {
      const { store } = await cluster.lead();
      await cluster.join('m1');
      await cluster.join('m2');
      await cluster.settle();
      const reads = store.reads;
      store.client[lose]();
      await Promise.all(['a', 'b', 'c'].map((stem) => cluster.submit(`${stem}.service`)));
      await cluster.settle();
      assert.ok(store.reads > reads);
      assert.deepEqual(
        (await cluster.layout()).filter((line) => line.includes('@')),
        ['a.service @ m1', 'c.service @ m1', 'b.service @ m2'],
      );
    });
  }

  test('nothing is decided between a missing answer and the snapshot that is read for it', async () => {
    const { store } = await cluster.lead();
    await cluster.join('m1');
    await cluster.settle();
    const answer = gate();
    store.beforeRead = () => answer.opened;
    store.client.loseNextReply();
    await cluster.submit('a.service');
    await cluster.settle();
    await cluster.submit('b.service');
    await cluster.clock.advance(1_000);
    assert.equal(store.transactions.filter(isPlan).length, 1);
    answer.open();
    await cluster.settle();
    assert.equal((await cluster.layout()).length, 4);
  });

  test('nothing is decided between the end of a watch and the next snapshot', async () => {
    const { store } = await cluster.lead();
    await cluster.join('m1');
    await cluster.settle();
    store.before = async (transaction) => {
      if (isPlan(transaction)) store.client.cut();
    };
    await cluster.submit('a.service');
    await cluster.settle();
    await cluster.submit('b.service');
    await cluster.store.compact(cluster.store.revision);
    const answer = gate();
    store.beforeRead = () => answer.opened;
    store.before = async () => {};
    store.transactions.length = 0;
    store.client.heal();
    await cluster.clock.advance(2_000);
    assert.deepEqual(store.transactions.filter(isPlan), []);
    answer.open();
    await cluster.settle();
    assert.equal((await cluster.layout()).length, 4);
  });

  test('a transaction that takes effect long after it was given up for lost undoes nothing', async () => {
    const { store } = await cluster.lead();
    await cluster.join('m1');
    await cluster.join('m2');
    await cluster.settle();
    let late = async () => {};
    store.before = async (transaction) => {
      if (!isPlan(transaction)) return;
      store.before = async () => {};
      late = async () => {
        await cluster.store.transact(transaction);
      };
      store.client.loseNextRequest();
      await cluster.join('m0');
    };
    await cluster.submit('a.service');
    await cluster.settle();
    assert.deepEqual(await cluster.layout(), ['a.service > m0', 'a.service @ m0']);
    await late();
    assert.deepEqual(await cluster.layout(), ['a.service > m0', 'a.service @ m0']);
  });

  test('a late delete of a schedule key spares the one that was put since', async () => {
    const { store } = await cluster.lead();
    const web = { metadata: { role: 'web' } };
    await cluster.join('m1', web);
    await cluster.submit('a.service', { fleet: 'MachineMetadata=role=web' });
    await cluster.settle();
    await cluster.join('m1');
    await cluster.settle();
    assert.deepEqual(await cluster.layout(), ['a.service @ m1 leaving']);
    let late = async () => {};
    store.before = async (transaction) => {
      if (!isPlan(transaction)) return;
      store.before = async () => {};
      late = async () => {
        await cluster.store.transact(transaction);
      };
      store.client.loseNextRequest();
    };
    await cluster.acknowledge('a.service', 'm1');
    await cluster.report('a.service', 'm1');
    await cluster.acknowledge('a.service', 'm1');
    await cluster.settle();
    await cluster.report('a.service', 'm1');
    await cluster.acknowledge('a.service', 'm1');
    await cluster.join('m1', web);
    await cluster.settle();
    assert.deepEqual(await cluster.layout(), ['a.service > m1', 'a.service @ m1']);
    await late();
    assert.deepEqual(await cluster.layout(), ['a.service > m1', 'a.service @ m1']);
  });

  test('an unreachable store is tried again', async () => {
    const { store } = await cluster.lead();
    await cluster.join('m1');
    await cluster.settle();
    store.before = async (transaction) => {
      if (isPlan(transaction)) store.client.cut();
    };
    await cluster.submit('a.service');
    await cluster.settle();
    store.before = async () => {};
    store.client.heal();
    await cluster.clock.advance(2_000);
    assert.deepEqual(await cluster.layout(), ['a.service > m1', 'a.service @ m1']);
  });
});
