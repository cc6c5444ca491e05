import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { afterEach, beforeEach, test } from 'node:test';
import { decodeRecord, encodeRecord, keys, type MemberRecord, StoreError } from '@flotilla/registry';
import { SystemdUnreachable } from '@flotilla/systemd';
import { AssignmentFile } from './assignment-file.js';
import { MemoryHost, machine, service } from './memory-host.js';

let host: MemoryHost;
beforeEach(async () => {
  host = await MemoryHost.start();
});
afterEach(async () => {
  await host.close();
});

const web = service('web');

async function membership() {
  const member = (await host.engine.range({ from: keys.member(machine.id) })).kvs[0];
  return member && decodeRecord<MemberRecord>(member.key, member.value).is;
}

test('leaving stops the units and takes the machine out of the cluster', async () => {
  await host.schedule(web);
  await host.untilRow(web, 'active');
  await host.leave();
  assert.equal(await host.active(web), 'inactive');
  assert.equal((await host.unitManager.listFiles()).size, 0);
  assert.equal(await membership(), 'left');
  assert.equal((await host.engine.range({ from: keys.machine(machine.id) })).kvs.length, 0);
});

test('a machine whose fence passes while its units stop has not left, and keeps its assignment', async () => {
  await host.schedule(web, '[Service]\nExecStart=/bin/sleep infinity\nExecStop=/bin/sleep 60\n');
  await host.untilRow(web, 'active');
  host.beforeNextCall = () => host.store.cut();
  const leaving = host.agent.leave({ timeoutMs: 30_000 });
  await host.clock.advance(31_000);
  await leaving;
  host.store.heal();
  assert.equal(await membership(), 'joined');
  assert.ok((await new AssignmentFile(host.stateDirectory).load()).units.has(web));
  await host.clock.advance(60_000);
  await host.restartAgent();
  await host.until(async () => (await host.active(web)) === 'active', 'started again');
});

test('a machine whose systemd can not be asked leaves all the same, and its next process stops what ran on', async () => {
  await host.schedule(web);
  await host.untilRow(web, 'active');
  host.beforeNextCall = () => {
    throw new SystemdUnreachable('no answer');
  };
  await host.leave();
  assert.equal(await membership(), 'left');
  assert.equal(await host.active(web), 'active');
  assert.equal((await new AssignmentFile(host.stateDirectory).load()).units.get(web)?.isLaunched, false);
  await host.write({ kind: 'delete', from: keys.schedule(machine.id, web) }, { kind: 'delete', from: keys.unit(web) });
  await host.restartAgent();
  await host.until(async () => (await host.active(web)) === 'inactive', 'stopped');
});

/** 0.8 of the lease's life. */
const fenceMs = 24_000;
const slow = '[Service]\nExecStart=/bin/sleep infinity\nExecStop=/bin/sleep 60\n';

test('units that a process has stopped to leave are started again if it is killed before it has left', async () => {
  await host.schedule(web, '[Service]\nExecStart=/bin/sleep infinity\nExecStop=/bin/sleep 60\n');
  await host.untilRow(web, 'active');
  assert.deepEqual(await readdir(host.startedDirectory), ['.contact', web]);
  const leaving = host.agent.leave({ timeoutMs: 30_000 });
  await host.clock.advance(1_000);
  assert.equal(await host.active(web), 'deactivating');
  assert.deepEqual(await readdir(host.startedDirectory), ['.contact']);
  await host.clock.advance(31_000);
  await leaving;
});

test('what does not stop in time is left to the next process, which does not start it', async () => {
  await host.schedule(web, slow);
  await host.untilRow(web, 'active');
  const leaving = host.agent.leave({ timeoutMs: 2_000 });
  await host.clock.advance(2_000);
  await leaving;
  assert.equal(await membership(), 'left');
  assert.equal(await host.active(web), 'deactivating');
  assert.equal((await new AssignmentFile(host.stateDirectory).load()).units.get(web)?.isLaunched, false);
  await host.write(
    { kind: 'put', key: keys.placement(web), value: encodeRecord({ machine: 'f'.repeat(32) }) },
    { kind: 'delete', from: keys.schedule(machine.id, web) },
  );
  await host.restartAgent();
  await host.clock.advance(60_000);
  await host.until(async () => (await host.unitManager.listFiles()).size === 0, 'unloaded');
  assert.equal(await host.active(web), 'inactive');
});

test('nobody waits long for units while the store is away, not even if it went a moment ago', async () => {
  await host.schedule(web, slow);
  await host.untilRow(web, 'active');
  host.store.cut();
  const leaving = host.agent.leave({ timeoutMs: 30_000 });
  await host.clock.advance(9_000);
  await leaving;
  assert.ok((await new AssignmentFile(host.stateDirectory).load()).units.get(web)?.isLaunched);
});

test('a leave that the store does not answer is said once more', async () => {
  const transact = host.store.transact.bind(host.store);
  let failures = 2;
  host.store.transact = (transaction) =>
    failures-- > 0 ? Promise.reject(new StoreError('uncertain', 'no answer')) : transact(transaction);
  await host.leave();
  assert.equal(await membership(), 'left');
  assert.equal((await host.engine.range({ from: keys.machine(machine.id) })).kvs.length, 0);
});

test('what may not run twice is killed in time if contact is lost while it stops', async () => {
  await host.schedule(web, `${slow}[X-Fleet]\nOnPartition=stop\nOnPartitionStopSec=5\n`);
  await host.untilRow(web, 'active');
  const leaving = host.agent.leave({ timeoutMs: 300_000 });
  await host.clock.advance(1_000);
  host.store.cut();
  await host.clock.advance(fenceMs + 5_100);
  assert.equal(await host.active(web), 'failed');
  await host.clock.advance(1_000);
  await leaving;
  assert.equal(host.actions.filter((action) => action.startsWith('kill')).length, 1);
});

const ledger = service('ledger');
const exclusive = `${slow}[X-Fleet]\nOnPartition=stop\n`;

test('a systemd that is deaf for a moment while units stop is asked again', async () => {
  await host.schedule(ledger, exclusive);
  await host.untilRow(ledger, 'active');
  host.beforeNextCall = () => {
    host.beforeNextCall = () => {
      throw new SystemdUnreachable('no answer');
    };
  };
  const leaving = host.agent.leave({ timeoutMs: 2_000 });
  await host.clock.advance(2_000);
  await leaving;
  assert.equal(await membership(), 'left');
  assert.equal(await host.active(ledger), 'failed');
});

test('what may not run twice is killed before the machine has left', async () => {
  await host.schedule(web, slow);
  await host.schedule(ledger, exclusive);
  await host.untilRow(ledger, 'active');
  await host.untilRow(web, 'active');
  const leaving = host.agent.leave({ timeoutMs: 2_000 });
  await host.clock.advance(1_900);
  assert.equal(await host.active(ledger), 'deactivating');
  await host.clock.advance(100);
  await leaving;
  assert.equal(await membership(), 'left');
  assert.deepEqual([await host.active(ledger), await host.active(web)], ['failed', 'deactivating']);
});
