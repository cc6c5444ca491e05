import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { parseMachineId } from '@flotilla/cluster';
import { encodeRecord, keys } from '@flotilla/registry';
import { SystemdUnreachable } from '@flotilla/systemd';
import { MemoryHost, machine, service, sleeper } from './memory-host.js';

let host: MemoryHost;
beforeEach(async () => {
  host = await MemoryHost.start();
});
afterEach(async () => {
  await host.close();
});

const [ledger, web] = [service('ledger'), service('web')];
const stopping = `${sleeper}[X-Fleet]\nOnPartition=stop\nOnPartitionStopSec=5\n`;
const stubborn = `[Service]\nExecStart=/bin/sleep infinity\nExecStop=/bin/sleep 600\n${stopping.slice(stopping.indexOf('[X-'))}`;

/** Between the last keepalive that was answered and the fence at 0.8 of 30 s. */
const fenceMs = 24_000;
const keepaliveMs = 10_000;

/** A unit that may not go on without contact, beside one that may. */
async function bothRun(text = stopping) {
  await host.schedule(ledger, text);
  await host.schedule(web);
  await host.untilRow(ledger, 'active');
  await host.untilRow(web, 'active');
  host.actions.length = 0;
}

/** Cuts the agent off from the store, a moment after a keepalive was answered. @returns When, on the host's clock. */
async function cut() {
  let lastMs = host.clock.monotonicMs();
  host.registration.lease?.onRenewed(() => {
    lastMs = host.clock.monotonicMs();
  });
  await host.clock.advance(keepaliveMs + 100);
  host.store.cut();
  return lastMs;
}

const at = (ms: number) => host.clock.advance(ms - host.clock.monotonicMs());

test('at its fence a machine stops what may not go on without contact, and nothing else', async () => {
  await bothRun();
  const lastMs = await cut();
  await at(lastMs + fenceMs - 100);
  assert.deepEqual(host.actions, []);
  await at(lastMs + fenceMs + 100);
  assert.equal(await host.active(ledger), 'inactive');
  await host.clock.advance(3_600_000);
  assert.deepEqual(host.actions, ['stop ledger.service']);
  assert.equal(await host.active(web), 'active');
});

test('a systemd that was deaf for a while is told soon after it hears again', async () => {
  await bothRun();
  const lastMs = await cut();
  const refuse = () => {
    host.beforeNextCall = refuse;
    throw new SystemdUnreachable('no answer');
  };
  host.beforeNextCall = refuse;
  await at(lastMs + fenceMs + 20_000);
  host.beforeNextCall = undefined;
  await host.clock.advance(3_000);
  assert.deepEqual(host.actions, ['stop ledger.service', 'kill ledger.service']);
});

test('once contact is back it is started again, if it still belongs here', async () => {
  await bothRun();
  await cut();
  await host.clock.advance(60_000);
  host.store.heal();
  await host.untilRow(ledger, 'active');
  assert.deepEqual(host.actions, ['stop ledger.service', 'start ledger.service']);
});

test('the next time that contact is lost, what has come meanwhile is stopped, too', async () => {
  await bothRun();
  await cut();
  await host.clock.advance(60_000);
  host.store.heal();
  await host.untilRow(ledger, 'active');
  const second = service('second');
  await host.schedule(second, stopping);
  await host.untilRow(second, 'active');
  await cut();
  await host.clock.advance(60_000);
  assert.deepEqual([await host.active(ledger), await host.active(second)], ['inactive', 'inactive']);
});

test('it stays down if it was placed elsewhere meanwhile', async () => {
  await bothRun();
  await cut();
  await host.clock.advance(60_000);
  await host.write(
    { kind: 'put', key: keys.placement(ledger), value: encodeRecord({ machine: parseMachineId('f'.repeat(32)) }) },
    { kind: 'delete', from: keys.schedule(machine.id, ledger) },
  );
  host.store.heal();
  await host.until(async () => !(await host.unitManager.listFiles()).has(ledger), 'unloaded');
  assert.deepEqual(host.actions, ['stop ledger.service', 'unload ledger.service']);
});

test('what does not stop in time is killed', async () => {
  await bothRun(stubborn);
  const lastMs = await cut();
  await at(lastMs + fenceMs + 4_900);
  assert.deepEqual(host.actions, ['stop ledger.service']);
  assert.equal(await host.active(ledger), 'deactivating');
  await at(lastMs + fenceMs + 5_100);
  assert.equal(await host.active(ledger), 'failed');
  await host.clock.advance(3_600_000);
  assert.deepEqual(host.actions, ['stop ledger.service', 'kill ledger.service']);
});

test('a stop that is under way when contact is back ends as it would have, and then the unit is started', async () => {
  await bothRun(stubborn);
  const lastMs = await cut();
  await at(lastMs + fenceMs + 1_000);
  host.store.heal();
  await host.until(() => host.agent.isReady(), 'in contact');
  await at(lastMs + fenceMs + 4_900);
  assert.deepEqual(host.actions, ['stop ledger.service']);
  assert.equal(await host.active(ledger), 'deactivating');
  await host.untilRow(ledger, 'active');
  assert.deepEqual(host.actions, ['stop ledger.service', 'kill ledger.service', 'start ledger.service']);
});

test('a lease that the store says is gone is contact lost', async () => {
  await bothRun(stubborn);
  const [kv] = (await host.engine.range({ from: keys.machine(machine.id) })).kvs;
  await host.engine.revokeLease(kv?.lease ?? '');
  // Not with the next keepalive: the leader counts from now.
  await host.clock.advance(500);
  assert.deepEqual(host.actions, ['stop ledger.service']);
  await host.until(() => host.actions.length === 3, 'started again');
  assert.deepEqual(host.actions, ['stop ledger.service', 'kill ledger.service', 'start ledger.service']);
});

test('whoever starts it while contact is lost, it stops again', async () => {
  await bothRun();
  await cut();
  await host.clock.advance(60_000);
  await host.unitManager.start([ledger]);
  await host.clock.advance(100);
  assert.equal(await host.active(ledger), 'inactive');
});

test('what had ended before contact was lost is not started when it is back', async () => {
  await bothRun();
  host.unitManager.fail(ledger);
  await host.untilRow(ledger, 'failed');
  await cut();
  await host.clock.advance(60_000);
  host.store.heal();
  await host.untilRow(ledger, 'failed');
  await host.clock.advance(60_000);
  assert.deepEqual(host.actions, []);
});

test('a daemon that is started while contact is lost keeps to the time of the one before', async () => {
  await bothRun();
  const lastMs = await cut();
  await at(lastMs + 20_000);
  await host.restartAgent();
  await at(lastMs + fenceMs - 100);
  assert.deepEqual(host.actions, []);
  await at(lastMs + fenceMs + 100);
  assert.deepEqual(host.actions, ['stop ledger.service']);
  await host.restartAgent();
  await host.clock.advance(60_000);
  host.store.heal();
  await host.untilRow(ledger, 'active');
  assert.deepEqual(host.actions, ['stop ledger.service', 'start ledger.service']);
});

test('a daemon that comes too late stops and kills at once', async () => {
  await bothRun(stubborn);
  const lastMs = await cut();
  await host.agent.close();
  await at(lastMs + fenceMs + 60_000);
  await host.restartAgent();
  await host.clock.advance(100);
  assert.deepEqual(host.actions, ['stop ledger.service', 'kill ledger.service']);
});

test('a restart in contact stops nothing', async () => {
  await bothRun();
  for (let restarts = 0; restarts < 5; restarts++) {
    await host.restartAgent();
    await host.clock.advance(13_000);
  }
  assert.deepEqual(host.actions, []);
});

test('without a note of the last contact in this boot there was none', async () => {
  await bothRun();
  await cut();
  await host.agent.close();
  await rm(join(host.startedDirectory, '.contact'));
  await host.restartAgent();
  await host.clock.advance(100);
  assert.deepEqual(host.actions, ['stop ledger.service', 'kill ledger.service']);
});

test('a frozen machine, too, stops it, and does not start it', async () => {
  await bothRun();
  await host.setUpCluster('two');
  await cut();
  await host.clock.advance(60_000);
  host.store.heal();
  await host.until(() => host.agent.isReady(), 'in contact');
  await host.clock.advance(60_000);
  assert.notEqual(host.agent.findFreezeReason(), undefined);
  assert.deepEqual(host.actions, ['stop ledger.service']);
});

test('a failing systemd is asked again', async () => {
  await bothRun();
  host.unitManager.refuse(ledger, 'not now');
  await cut();
  await host.clock.advance(25_000);
  assert.equal(await host.active(ledger), 'active');
  host.unitManager.refuse(ledger, undefined);
  await host.clock.advance(30_000);
  assert.equal(await host.active(ledger), 'inactive');
});
