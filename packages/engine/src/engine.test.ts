import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { keys, ranges } from '@flotilla/registry';
import { parseUnitName } from '@flotilla/unit';
import { mirroredRanges } from './mirror.js';
import { isPlan, TestCluster } from './test-cluster.js';

let cluster: TestCluster;
beforeEach(() => {
  cluster = new TestCluster();
});
afterEach(() => cluster.close());

test('a unit gets a placement and a schedule record, on the machine with the fewest units', async () => {
  await cluster.lead();
  await cluster.join('m1');
  await cluster.join('m2');
  await cluster.settle();
  const { sha256 } = await cluster.submit('a.service', { order: 3 });
  await cluster.submit('b.service');
  await cluster.submit('c@.service');
  await cluster.submit('d.service', { desired: 'inactive' });
  await cluster.submit('e.service', { fleet: 'Global=true' });
  await cluster.settle();
  assert.deepEqual(await cluster.layout(), ['a.service > m1', 'b.service > m2', 'a.service @ m1', 'b.service @ m2']);
  const [unit] = (await cluster.store.range({ from: keys.unit(parseUnitName('a.service')) })).kvs;
  const { hash: _, ...record } = (await cluster.findSchedule('a.service', 'm1')) ?? {};
  assert.deepEqual(record, {
    file: sha256,
    desiredState: 'launched',
    order: 3,
    uid: unit?.createRevision,
    isLeaving: false,
  });
});

test('a changed order, state or file rewrites the schedule record in place', async () => {
  await cluster.lead();
  await cluster.join('m1');
  await cluster.submit('a.service');
  await cluster.settle();
  const before = await cluster.findSchedule('a.service', 'm1');
  await cluster.submit('a.service', { order: 2, desired: 'loaded', file: '[Unit]\nDescription=new\n' });
  await cluster.settle();
  const record = await cluster.findSchedule('a.service', 'm1');
  assert.deepEqual([record?.order, record?.desiredState, record?.uid], [2, 'loaded', before?.uid]);
  assert.notEqual(record?.hash, before?.hash);
  assert.deepEqual(await cluster.layout(), ['a.service > m1', 'a.service @ m1']);
});

test('a hundred units that come at once are one pass of full transactions', async () => {
  const { store } = await cluster.lead();
  await cluster.join('m1');
  await cluster.settle();
  const plansBefore = store.transactions.filter(isPlan).length;
  await Promise.all(Array.from({ length: 100 }, (_, index) => cluster.submit(`u@${index}.service`)));
  await cluster.settle();
  assert.equal((await cluster.layout()).length, 200);
  assert.equal(store.transactions.filter(isPlan).length - plansBefore, 2);
});

test('the units of a machine that is gone are placed anew, and do not come back with it', async () => {
  const { store } = await cluster.lead();
  await cluster.join('m1');
  await cluster.join('m2');
  for (const name of ['a.service', 'b.service', 'c.service']) await cluster.submit(name);
  await cluster.settle();
  store.transactions.length = 0;
  await cluster.lose('m1');
  await cluster.settle();
  const moved = [
    'a.service > m2',
    'b.service > m2',
    'c.service > m2',
    'a.service @ m2',
    'b.service @ m2',
    'c.service @ m2',
  ];
  assert.deepEqual(await cluster.layout(), moved);
  assert.equal(store.transactions.filter(isPlan).length, 1);
  await cluster.join('m1');
  await cluster.settle();
  assert.deepEqual(await cluster.layout(), moved);
});

test('a unit that fits nowhere waits with a reason, which changes with the cluster and goes when it is placed', async () => {
  await cluster.lead();
  await cluster.join('m1');
  await cluster.submit('a.service', { fleet: 'MachineMetadata=role=db' });
  await cluster.settle();
  const first = await cluster.findReason('a.service');
  assert.deepEqual(first, { since: first?.since, machines: 1, misfits: { 'missing-metadata:role=db': 1 } });
  await cluster.clock.advance(5_000);
  await cluster.join('m2');
  await cluster.settle();
  assert.deepEqual(await cluster.findReason('a.service'), {
    ...first,
    machines: 2,
    misfits: { 'missing-metadata:role=db': 2 },
  });
  await cluster.join('m2', { metadata: { role: 'db' } });
  await cluster.settle();
  assert.equal(await cluster.findReason('a.service'), undefined);
  assert.deepEqual(await cluster.layout(), ['a.service > m2', 'a.service @ m2']);
});

test('a reason goes with its unit', async () => {
  await cluster.lead();
  await cluster.submit('a.service');
  await cluster.submit('b.service');
  await cluster.settle();
  assert.equal((await cluster.findReason('a.service'))?.machines, 0);
  await cluster.destroy('a.service');
  await cluster.submit('b.service', { desired: 'inactive' });
  await cluster.settle();
  assert.deepEqual(await cluster.keysOf(ranges.reasons), []);
});

test('the units of a lost last machine lose their placement and say why', async () => {
  await cluster.lead();
  await cluster.join('m1');
  await cluster.submit('a.service');
  await cluster.settle();
  await cluster.lose('m1');
  await cluster.settle();
  assert.deepEqual(await cluster.layout(), []);
  assert.equal((await cluster.findReason('a.service'))?.machines, 0);
});

test('a frozen machine keeps its units and gets no others', async () => {
  await cluster.lead();
  await cluster.join('m1');
  await cluster.submit('a.service');
  await cluster.settle();
  await cluster.join('m1', { frozen: 'store was replaced' });
  await cluster.submit('b.service');
  await cluster.settle();
  assert.deepEqual(await cluster.layout(), ['a.service > m1', 'a.service @ m1']);
  assert.deepEqual((await cluster.findReason('b.service'))?.misfits, { 'machine-closed': 1 });
});

describe('unit files', () => {
  test('a file that no unit uses any more is deleted', async () => {
    await cluster.lead();
    await cluster.submit('a.service', { fleet: 'MachineID=one' });
    await cluster.submit('b.service', { fleet: 'MachineID=one' });
    await cluster.settle();
    await cluster.destroy('a.service');
    await cluster.settle();
    assert.equal((await cluster.keysOf(ranges.unitFiles)).length, 1);
    await cluster.destroy('b.service');
    await cluster.settle();
    assert.deepEqual(await cluster.keysOf(ranges.unitFiles), []);
  });

  test('a file that another one has replaced is deleted, also when the store answers before it tells others', async () => {
    await cluster.join('m1');
    const { engine, store } = cluster.engine('e1');
    const watch = store.watch;
    store.watch = (request, listener) =>
      watch(request, {
        onBroken: (reason) => listener.onBroken(reason),
        onEvents: (events, revision) => cluster.clock.setTimer(5, () => listener.onEvents(events, revision)),
      });
    engine.start();
    await cluster.settle();
    await cluster.submit('a.service');
    await cluster.settle();
    const { sha256 } = await cluster.submit('a.service', { file: '[Service]\n' });
    await cluster.settle();
    assert.deepEqual(await cluster.keysOf(ranges.unitFiles), [keys.unitFile(sha256)]);
  });

  test('a file that is put again while it is being deleted stays', async () => {
    const { store } = await cluster.lead();
    await cluster.submit('a.service');
    await cluster.settle();
    store.before = async ({ success }) => {
      if (success.some((operation) => operation.kind === 'delete' && operation.from.startsWith('unit-files/')))
        await cluster.submit('b.service');
    };
    await cluster.destroy('a.service');
    await cluster.settle();
    assert.equal((await cluster.keysOf(ranges.unitFiles)).length, 1);
  });

  const record = '{"hash":"","file":"FILE","desiredState":"launched","order":1,"isGlobal":false}';
  /** What a newer fleetd may write, and what nobody should. */
  const unreadable = {
    'a desired state of a newer version': ['units/a.service', record.replace('launched', 'paused')],
    'a name of a newer version': ['units/a!b', record],
    'a key of a newer version': ['units/a/b', record],
    'broken JSON': ['units/a.service', '{"file":"FILE'],
    'a schedule record without a field': ['schedule/m1/a.service', '{"file":"FILE"}'],
  } as const;
  for (const [says, [key, text]] of Object.entries(unreadable))
    test(`no file is deleted while it may be that of a record that can't be read: ${says}`, async () => {
      const { name, sha256 } = await cluster.submit('a.service');
      await cluster.submit('b.service', { fleet: 'MachineID=b' });
      const value = new TextEncoder().encode(text.replace('FILE', sha256));
      await cluster.write({ kind: 'delete', from: keys.unit(name) });
      await cluster.write({ kind: 'put', key, value });
      await cluster.lead();
      assert.equal((await cluster.keysOf(ranges.unitFiles)).length, 2);
      await cluster.destroy('b.service');
      await cluster.settle();
      assert.equal((await cluster.keysOf(ranges.unitFiles)).length, 2);
      const told = cluster.lines.filter(({ message }) => message.startsWith('no unit file is deleted'));
      assert.deepEqual(
        told.map(({ fields }) => fields),
        [{ key }],
      );
      await cluster.write({ kind: 'delete', from: key });
      await cluster.submit('c.service', { fleet: 'MachineID=c' });
      await cluster.settle();
      assert.equal((await cluster.keysOf(ranges.unitFiles)).length, 1, 'it is deleted when that record is gone');
    });

  test('a unit whose file can not be read is left exactly as it is, and the others go on', async () => {
    await cluster.lead();
    await cluster.join('m1');
    await cluster.submit('a.service');
    await cluster.settle();
    await cluster.submit('a.service', { file: '[X-Fleet\nbroken', order: 2 });
    await cluster.submit('b.service', { file: '[X-Fleet\nbroken' });
    await cluster.submit('c.service');
    await cluster.settle();
    assert.deepEqual(await cluster.layout(), ['a.service > m1', 'c.service > m1', 'a.service @ m1', 'c.service @ m1']);
    assert.equal((await cluster.findSchedule('a.service', 'm1'))?.order, 1);
    assert.equal(cluster.lines.filter(({ level }) => level === 'error').length, 2);
    await cluster.submit('b.service');
    await cluster.settle();
    assert.ok((await cluster.layout()).includes('b.service > m1'));
  });

  test('a unit waits for its file', async () => {
    await cluster.lead();
    await cluster.join('m1');
    const { sha256, name } = await cluster.submit('a.service', { fleet: 'MachineID=nobody' });
    const [unit] = (await cluster.store.range({ from: keys.unit(name) })).kvs;
    const [file] = (await cluster.store.range({ from: keys.unitFile(sha256) })).kvs;
    assert.ok(unit !== undefined && file !== undefined);
    await cluster.destroy('a.service');
    await cluster.settle();
    await cluster.write({ kind: 'put', key: unit.key, value: unit.value });
    await cluster.settle();
    assert.equal(await cluster.findReason('a.service'), undefined);
    await cluster.write({ kind: 'put', key: file.key, value: file.value });
    await cluster.settle();
    assert.deepEqual((await cluster.findReason('a.service'))?.misfits, { 'not-required-machine:nobody': 1 });
  });
});

test('an unreadable record is left alone, with one line in the log', async () => {
  await cluster.lead();
  await cluster.join('m1');
  await cluster.submit('a.service');
  await cluster.settle();
  const garbage = new TextEncoder().encode('garbage');
  await cluster.write(
    { kind: 'put', key: 'machines/m1', value: garbage },
    { kind: 'put', key: 'units/b.service', value: garbage },
  );
  await cluster.submit('c.service');
  await cluster.settle();
  assert.deepEqual(
    (await cluster.layout()).filter((line) => line.startsWith('a')),
    ['a.service > m1', 'a.service @ m1'],
  );
  assert.equal(cluster.lines.filter(({ level }) => level === 'error').length, 2);
});

test('nothing changes: nothing is written, and nothing read', async () => {
  const { store } = await cluster.lead();
  await cluster.join('m1');
  await cluster.submit('a.service');
  await cluster.settle();
  const [transactions, revision] = [store.transactions.length, cluster.store.revision];
  await cluster.clock.advance(600_000);
  assert.equal(store.transactions.length, transactions);
  assert.equal(cluster.store.revision, revision);
});

test('what somebody else breaks is put right at once', async () => {
  await cluster.lead();
  await cluster.join('m1');
  await cluster.submit('a.service');
  await cluster.settle();
  await cluster.write({ kind: 'delete', from: 'schedule/m1/a.service' });
  await cluster.settle();
  assert.deepEqual(await cluster.layout(), ['a.service > m1', 'a.service @ m1']);
});

test('the audit reads everything again, writes nothing, and the engine goes on', async () => {
  const { store } = await cluster.lead('e1', { auditIntervalMs: 60_000 });
  await cluster.join('m1');
  await cluster.submit('a.service');
  await cluster.settle();
  const [transactions, reads] = [store.transactions.length, store.reads];
  await cluster.clock.advance(61_000);
  // The tables that are listed, and the mark of the history.
  const listed = mirroredRanges.filter(({ deletesOnly }) => deletesOnly !== true);
  assert.equal(store.reads, reads + listed.length + 1);
  assert.equal(store.transactions.length, transactions);
  await cluster.submit('b.service');
  await cluster.settle();
  assert.equal((await cluster.layout()).length, 4);
});
