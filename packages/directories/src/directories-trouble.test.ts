import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { MachineId } from '@flotilla/cluster';
import { keys, orderConfirm, ranges, StoreError } from '@flotilla/registry';
import { silentLogger } from '@flotilla/runtime';
import { parseOwnerName, parseUnitName } from '@flotilla/unit';
import { createDirectories } from './directories.js';
import { local, MemoryDisk, MemoryFolder, TestWorld, unitText } from './directories-harness.js';

let world: TestWorld;
beforeEach(() => {
  world = new TestWorld();
});
afterEach(() => world.close());

const files = (letters: string) =>
  Object.fromEntries([...letters].map((letter) => [`${letter}.service`, unitText(letter)]));

const unitNames = async () => Object.keys(await world.texts()).join(' ');

test('what changes while etcd is away for minutes is carried out when it is back', async () => {
  const host = await world.startedHost('m1', files('abcdef'));
  host.store.cut();
  host.folder.write('a.service', unitText('new'));
  host.folder.remove('b.service');
  await world.settle(300_000);
  host.folder.write('g.service', unitText('g'));
  await world.settle(60_000);
  host.store.heal();
  await world.settle(20_000);
  assert.equal(await unitNames(), 'a.service c.service d.service e.service f.service g.service');
  assert.equal(await world.text('a.service'), unitText('new'));
});

test('a start without etcd is made up for', async () => {
  const host = world.host('m1');
  host.folder.write('a.service', unitText('a'));
  host.store.cut();
  host.start();
  await world.settle(120_000);
  host.store.heal();
  await world.settle(20_000);
  assert.equal(await unitNames(), 'a.service');
});

test('a confirmation that can not be read at once is read when it can', async () => {
  const host = await world.startedHost('m1', files('abcdef'));
  host.folder.remove('a.service', 'b.service', 'c.service', 'd.service');
  await world.settle();
  const range = host.store.range.bind(host.store);
  let failures = 0;
  host.store.range = async (request) => {
    if (request.from.startsWith('dir-orders/') && failures++ === 0) throw new StoreError('unavailable', 'a test');
    return range(request);
  };
  await orderConfirm(world.access, local);
  await world.settle(60_000);
  assert.ok(failures > 0);
  assert.equal(await unitNames(), 'e.service f.service');
});

/** The row, the unit with its claim, the row again. */
const writesOfPass = [1, 2, 3];

for (const nth of writesOfPass)
  for (const lever of ['loseNextReply', 'loseNextRequest'] as const)
    test(`whether write ${nth} of a pass was carried out is looked up, not guessed: ${lever}`, async () => {
      const host = await world.startedHost('m1', files('a'));
      const before = await world.record('a.service');
      const transact = host.store.transact.bind(host.store);
      let writes = 0;
      host.store.transact = (transaction) => {
        if (++writes === nth) host.store[lever]();
        return transact(transaction);
      };
      host.folder.write('a.service', unitText('new'));
      await world.settle();
      assert.ok(writes >= writesOfPass.length);
      assert.equal(await world.text('a.service'), unitText('new'));
      assert.equal((await world.record('a.service'))?.order, (before?.order ?? 0) + 1, 'it was ordered once');
      assert.equal((await host.row())?.lastChange?.changed, 1);
    });

test('a removal of which nobody knows whether it was carried out is looked up when the file is there again', async () => {
  const host = await world.startedHost('m1', files('abc'));
  const copy = host.folder.copy();
  const transact = host.store.transact.bind(host.store);
  host.store.transact = async (transaction) => {
    const isRemoval = transaction.success.some(({ kind }) => kind === 'delete');
    if (isRemoval) host.store.loseNextReply();
    const result = transact(transaction);
    if (isRemoval) host.store.cut();
    return result;
  };
  host.folder.remove('a.service');
  await world.settle();
  assert.equal(await unitNames(), 'b.service c.service');
  host.store.transact = transact;
  host.folder.restore(copy);
  await world.settle();
  host.store.heal();
  await world.settle(20_000);
  assert.equal(await unitNames(), 'a.service b.service c.service');
});

test('a pass that ends in the middle is gone on with by the next process', async () => {
  const host = await world.startedHost('m1', files('abcd'));
  const transact = host.store.transact.bind(host.store);
  let writes = 0;
  // The row gets through, the claims don't.
  host.store.transact = (transaction) => (++writes > 1 ? new Promise(() => undefined) : transact(transaction));
  host.folder.write('a.service', unitText('new'));
  host.folder.remove('b.service');
  await world.settle();
  assert.equal(await world.text('a.service'), unitText('a'));
  assert.equal((await host.row())?.pass, 2);

  const next = world.host('m1');
  next.folder.restore(host.folder.copy());
  next.disk.content = host.disk.content;
  next.start();
  await world.settle();
  assert.equal(await world.text('a.service'), unitText('new'));
  assert.equal(await unitNames(), 'a.service c.service d.service');
  world.hosts.shift();
});

test('a unit that can’t be written keeps nobody waiting, is told of, and is tried again', async () => {
  const key = keys.unit(parseUnitName('b.service'));
  await world.store.transact({ success: [{ kind: 'put', key, value: new TextEncoder().encode('{') }] });
  const host = await world.startedHost('m1', files('abc'));
  assert.deepEqual(await host.claims(), ['a.service', 'c.service']);
  const row = await host.row();
  assert.equal(row?.problemCount, 1);
  assert.equal(row?.problems[0]?.source, 'b.service');
  await world.store.transact({ success: [{ kind: 'delete', from: key }] });
  await world.settle(60_000);
  assert.equal(await world.text('b.service'), unitText('b'));
  assert.equal((await host.row())?.problemCount, 0);
});

test('a disk that takes no file changes nothing, and is made up for', async () => {
  const host = await world.startedHost('m1', files('ab'));
  host.disk.isFailing = true;
  host.folder.write('a.service', unitText('new'));
  await world.settle(60_000);
  assert.equal(await world.text('a.service'), unitText('a'));
  assert.equal((await host.row())?.pass, 1);
  const [problem] = (await host.row())?.problems ?? [];
  assert.equal(problem?.source, host.disk.path);
  assert.match(problem.message, /no space left on device/);
  host.disk.isFailing = false;
  await world.settle(20_000);
  assert.equal(await world.text('a.service'), unitText('new'));
  assert.equal((await host.row())?.problemCount, 0);
});

test('a file that moves to another directory of the host is there as soon as it has gone from the first', async () => {
  const folders = { one: new MemoryFolder(), two: new MemoryFolder() };
  const disks = { one: new MemoryDisk(), two: new MemoryDisk() };
  const pick = <T>({ one, two }: { readonly one: T; readonly two: T }, name: string) => (name === 'one' ? one : two);
  const directories = createDirectories({
    store: world.store.client(),
    clock: world.clock,
    log: silentLogger,
    machine: 'm1' as MachineId,
    directories: ['one', 'two'].map((name) => ({ name: parseOwnerName(name), path: `/${name}` })),
    stateDirectory: '/none',
    openFolder: ({ name }) => pick(folders, name),
    openMemory: (name) => pick(disks, name),
  });
  folders.one.write('a.service', unitText('a'));
  directories.start();
  await world.settle();
  folders.two.write('a.service', unitText('a'));
  folders.one.remove('a.service');
  await world.settle(3_000);
  assert.equal((await world.record('a.service'))?.owner, 'two');
  await directories.close();
});

test('a host whose claims were taken away sees its directory for the first time', async () => {
  const host = await world.startedHost('m1', files('ab'));
  const gone = [ranges.claimsOfAll(local), ranges.directoryHosts, ranges.units];
  await world.store.transact({ success: gone.map((range) => ({ kind: 'delete', ...range })) });
  host.folder.write('c.service', unitText('c'));
  await world.settle(20_000);
  assert.equal(await unitNames(), 'a.service b.service c.service');
  assert.deepEqual(await host.claims(), ['a.service', 'b.service', 'c.service']);
});

test('what a broken watch may have missed is read again', async () => {
  const host = await world.startedHost('m1', files('ab'));
  host.store.cut();
  await world.store.transact({ success: [{ kind: 'delete', ...ranges.claimsOf(local, host.machine) }] });
  await world.store.transact({ success: [{ kind: 'delete', ...ranges.units }] });
  await world.store.compact(world.store.revision);
  host.store.heal();
  await world.settle(20_000);
  assert.equal(await unitNames(), 'a.service b.service');
});

test('what changes between an end and a start is carried out by the start', async () => {
  const host = await world.startedHost('m1', files('a'));
  await host.stop();
  host.folder.write('b.service', unitText('b'));
  await world.settle();
  assert.equal(await unitNames(), 'a.service');
  assert.equal(host.describe(), undefined);
  host.start();
  await world.settle();
  assert.equal(await unitNames(), 'a.service b.service');
});

test('the log says once what is wrong, what is held back, and when it is over', async () => {
  const host = await world.startedHost('m1', files('abcd'));
  const copy = host.folder.copy();
  host.folder.write('a.service', 'no unit\n');
  host.folder.remove('b.service', 'c.service', 'd.service');
  await world.settle(120_000);
  host.folder.restore(copy);
  await world.settle(120_000);
  assert.deepEqual(
    host.lines.map((line) => line.split(' {')[0]),
    [
      'units of a directory were changed',
      'a file of a directory is left out',
      'units whose files are gone are held back; fleetctl dirs confirm has them destroyed',
      'all files of a directory are in order again',
      'no unit of a directory is held back any more',
    ],
  );
});
