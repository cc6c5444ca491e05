import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { explain } from '@flotilla/cluster';
import { encodeRecord, keys } from '@flotilla/registry';
import { TestCluster } from './test-cluster.js';

/** What the unit may take after its machine's lease is over: `OnPartitionStopSec=`, and 2 s. */
const stopMs = 42_000;
const fleet = 'OnPartition=stop\nOnPartitionStopSec=40';

let cluster: TestCluster;
beforeEach(async () => {
  cluster = new TestCluster();
});
afterEach(() => cluster.close());

/** Two machines, of which `m1` has the unit that is not to run twice, and one that may. */
async function bothPlaced(): Promise<void> {
  await cluster.lead();
  await cluster.register('m1', 'm2');
  await cluster.submit('ledger.service', { fleet });
  await cluster.settle();
  await cluster.submit('other.service');
  await cluster.submit('web.service');
  await cluster.settle();
  assert.deepEqual(await placements(), ['ledger.service > m1', 'other.service > m2', 'web.service > m1']);
}

const placements = async () => (await cluster.layout()).filter((line) => line.includes(' > '));
const moved = ['ledger.service > m2', 'other.service > m2', 'web.service > m2'];
const held = ['ledger.service > m1', 'other.service > m2', 'web.service > m2'];

/** m1 is gone, and a person says that it is lost. */
async function loseForSure() {
  await cluster.lose('m1');
  await cluster.release('m1');
  await cluster.settle();
}

async function nextLeads() {
  const [leader] = (await cluster.store.range({ from: keys.leader })).kvs;
  await cluster.lead('e2');
  await cluster.store.revokeLease(leader?.lease ?? '');
}

async function why(unit: string): Promise<string | undefined> {
  const reason = await cluster.findReason(unit);
  return reason && explain(reason);
}

test('a unit that must not run twice is placed anew when it is surely down, and says until then why it waits', async () => {
  await bothPlaced();
  await cluster.lose('m1');
  const lostAtMs = cluster.clock.now();
  await cluster.clock.advance(stopMs - 100);
  assert.deepEqual([await placements(), await cluster.losses()], [held, ['m1 lost']]);
  const until = new Date(Math.ceil((lostAtMs + stopMs) / 1000) * 1000).toISOString().slice(0, 19);
  assert.match((await why('ledger.service')) ?? '', /^machine m1 is gone, and may take until 20.*Z to stop it/);
  assert.ok((await why('ledger.service'))?.includes(until.slice(0, 16)));
  await cluster.clock.advance(1_000);
  assert.deepEqual([await placements(), await why('ledger.service')], [moved, undefined]);
});

test('no setting and no person makes that sooner', async () => {
  await bothPlaced();
  await cluster.write({ kind: 'put', key: keys.setting('loss_settle'), value: encodeRecord({ value: '0s' }) });
  await cluster.lose('m1');
  await cluster.settle();
  assert.deepEqual(await placements(), held);
  await cluster.release('m1');
  await cluster.release('m1');
  await cluster.clock.advance(stopMs - 1_000);
  assert.deepEqual(await placements(), held);
  await cluster.clock.advance(1_000);
  assert.deepEqual(await placements(), moved);
});

test('of a machine that has left, it is placed anew at once', async () => {
  await bothPlaced();
  await cluster.leave('m1');
  await cluster.settle();
  assert.deepEqual(await placements(), moved);
});

test('a machine that is back before keeps it', async () => {
  await bothPlaced();
  await cluster.lose('m1');
  await cluster.clock.advance(stopMs - 1_000);
  await cluster.register('m1');
  await cluster.clock.advance(stopMs);
  assert.deepEqual([await placements(), await why('ledger.service')], [held, undefined]);
  await cluster.lose('m1');
  await cluster.clock.advance(stopMs - 1_000);
  assert.deepEqual(await placements(), held);
  await cluster.clock.advance(1_500);
  assert.deepEqual(await placements(), moved);
});

test('the next leader waits, too, by what it sees itself', async () => {
  await bothPlaced();
  await cluster.lose('m1');
  await cluster.release('m1');
  await cluster.clock.advance(stopMs - 5_000);
  await nextLeads();
  await cluster.clock.advance(stopMs - 1_000);
  assert.deepEqual(await placements(), held);
  await cluster.clock.advance(12_000);
  assert.deepEqual(await placements(), moved);
});

test('a unit that is destroyed and made again waits all the same', async () => {
  await bothPlaced();
  await loseForSure();
  await cluster.destroy('ledger.service');
  await cluster.settle();
  assert.deepEqual(await placements(), held.slice(1));
  await cluster.submit('ledger.service');
  await cluster.clock.advance(stopMs - 2_000);
  assert.deepEqual(await placements(), held.slice(1));
  assert.match((await why('ledger.service')) ?? '', /^machine m1 is gone/);
  await cluster.clock.advance(2_000);
  assert.deepEqual(await placements(), moved);
});

test('what was to leave a machine that is gone is waited for as long', async () => {
  await bothPlaced();
  await cluster.report('ledger.service', 'm1');
  await cluster.submit('ledger.service', { fleet: `${fleet}\nMachineID=m2` });
  await cluster.settle();
  assert.ok((await cluster.layout()).includes('ledger.service @ m1 leaving'));
  await cluster.lose('m1');
  await cluster.release('m1');
  await cluster.clock.advance(stopMs - 1_000);
  assert.deepEqual(await placements(), held.slice(1));
  await cluster.clock.advance(1_500);
  assert.deepEqual(await placements(), moved);
});

test('a leader that reads everything anew does not forget since when a machine is gone', async () => {
  await cluster.lead('e1', { auditIntervalMs: 10_000 });
  await cluster.register('m1', 'm2');
  await cluster.submit('ledger.service', { fleet });
  await cluster.settle();
  await cluster.lose('m1');
  await cluster.release('m1');
  await cluster.clock.advance(stopMs - 1_000);
  assert.deepEqual(await placements(), ['ledger.service > m1']);
  await cluster.clock.advance(1_500);
  assert.deepEqual(await placements(), ['ledger.service > m2']);
});

test('what was destroyed or replaced meanwhile waits for the next leader, too', async () => {
  await bothPlaced();
  await loseForSure();
  await cluster.destroy('ledger.service');
  await cluster.settle();
  await cluster.submit('ledger.service');
  await cluster.settle();
  await nextLeads();
  await cluster.clock.advance(stopMs - 1_000);
  assert.deepEqual(await placements(), held.slice(1));
  await cluster.clock.advance(12_000);
  assert.deepEqual(await placements(), moved);
});

test('the file that a machine was told of tells how long it may take, also if there is a new one', async () => {
  await bothPlaced();
  await loseForSure();
  await cluster.submit('ledger.service');
  await cluster.settle();
  await nextLeads();
  await cluster.clock.advance(stopMs - 1_000);
  assert.deepEqual(await placements(), held);
  await cluster.clock.advance(12_000);
  assert.deepEqual(await placements(), moved);
});

test('a machine that is back while it stops a unit is told what was changed of it meanwhile, and of no older order', async () => {
  await bothPlaced();
  await cluster.lose('m1');
  await cluster.settle();
  await cluster.submit('ledger.service', { fleet, desired: 'loaded' });
  await cluster.settle();
  const stopped = await cluster.findSchedule('ledger.service', 'm1');
  assert.deepEqual([stopped?.desiredState, stopped?.isLeaving], ['loaded', false]);
  const { sha256 } = await cluster.submit('ledger.service');
  await cluster.settle();
  assert.equal((await cluster.findSchedule('ledger.service', 'm1'))?.isLeaving, true);
  await cluster.register('m1');
  await cluster.settle();
  const replaced = await cluster.findSchedule('ledger.service', 'm1');
  assert.deepEqual([replaced?.file, replaced?.desiredState, replaced?.isLeaving], [sha256, 'launched', false]);
});

test('a unit that was destroyed and made again waits for the word of a machine that is back while it stops', async () => {
  await bothPlaced();
  await loseForSure();
  await cluster.destroy('ledger.service');
  await cluster.settle();
  await cluster.submit('ledger.service', { fleet: 'MachineID=m2' });
  await cluster.register('m1');
  await cluster.report('ledger.service', 'm1');
  await cluster.settle();
  assert.deepEqual(await placements(), held.slice(1));
  await cluster.acknowledge('ledger.service', 'm1');
  await cluster.settle();
  assert.ok((await placements()).includes('ledger.service > m2'));
});
