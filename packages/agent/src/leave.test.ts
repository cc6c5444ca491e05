import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { decodeRecord, keys, type MemberRecord } from '@flotilla/registry';
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
  await host.write({ kind: 'delete', from: keys.schedule(machine.id, web) }, { kind: 'delete', from: keys.unit(web) });
  await host.restartAgent();
  await host.until(async () => (await host.active(web)) === 'inactive', 'stopped');
});
