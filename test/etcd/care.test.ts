import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type AnsweringMember, encodeRecord, keys, type Store, StoreError, storeAlarms } from '@flotilla/registry';
import { put, Recorder, read, rejects, remove, write } from '@flotilla/registry/contract';
import { systemClock } from '@flotilla/runtime';
import { parseUnitName } from '@flotilla/unit';
import { waitUntil } from '../lab/index.js';
import { CareCluster, codesOf, machine, ttlSeconds } from './care-cluster.js';
import { opensslMissing, TestCertificates } from './certificates.js';
import { etcdMissing, TestEtcd } from './etcd.js';
import { callGateway } from './gateway.js';
import { SlowDisk, slowDiskMissing } from './slow-disk.js';
import { openProxy, openStore, time } from './test-stores.js';

const skip = etcdMissing() ?? false;
const mebibyte = 1024 * 1024;
const quotaBytes = 16 * mebibyte;
const hourMs = 3_600_000;

/** Of a store with one member. */
async function memberOf(store: Store): Promise<AnsweringMember> {
  const [member] = (await store.readHealth()).members;
  assert.ok(member?.kind === 'answering', JSON.stringify(member));
  return member;
}

async function alarmsOf(store: Store): Promise<string[]> {
  return storeAlarms(await store.readHealth()).map(({ code }) => code);
}

/** Small against the fifth of the quota that is to be left: a busy etcd takes up to a few times its size for a moment. */
const filling = 'x'.repeat(mebibyte / 4);

/** Fills the store up to `isEnough`, or until it takes no more. */
async function fill(store: Store, isEnough: () => Promise<boolean> = async () => false): Promise<void> {
  for (let at = 0; at < 256 && !(await isEnough()); at++) {
    try {
      await write(store, put(`filling/${at}`, filling));
    } catch (error) {
      if (error instanceof StoreError && error.refusal === 'no-space') return;
      throw error;
    }
  }
}

/** What the operator does: takes out what is not needed, and gives the room back. */
async function makeRoom(etcd: TestEtcd, store: Store): Promise<void> {
  await store.compact(await write(store, remove('filling/', 'filling0')));
  await callGateway(etcd.url, 'maintenance/defragment', {});
}

async function setAlarm(etcd: TestEtcd, action: 'ACTIVATE' | 'DEACTIVATE', alarm: string): Promise<void> {
  const { header } = await callGateway(etcd.url, 'maintenance/status', {});
  const memberID = (header as { member_id: string }).member_id;
  await callGateway(etcd.url, 'maintenance/alarm', { action, memberID, alarm });
}

/** Whether a state row says this, and nothing else is there. */
function hasActive(state: string): (lines: readonly string[]) => boolean {
  return (lines) => lines.length === 1 && lines[0]?.includes(`"active":"${state}"`) === true;
}

describe('the history of a real etcd', { skip }, () => {
  let etcd: TestEtcd;
  before(async () => {
    etcd = await TestEtcd.start();
  });
  after(() => etcd.remove());

  it('is compacted by the leader to the mark of an hour ago, and not further', async () => {
    const cluster = new CareCluster([etcd.url], 'history');
    const { store } = cluster;
    const first = await write(store, put('a', '0'));
    const old = await write(store, put('a', '1'));
    for (let at = 0; at < 600; at += 20)
      await Promise.all(Array.from({ length: 20 }, (_, each) => write(store, put(`b/${each}`, `${at}`))));
    const mark = { revision: old, at: systemClock.now() - hourMs };
    await write(store, { kind: 'put', key: keys.compaction, value: encodeRecord(mark) });
    cluster.start();
    try {
      await waitUntil({
        what: 'the next mark is set',
        read: async () => (await store.range({ from: keys.compaction })).kvs[0]?.modRevision ?? 0,
        until: (revision) => revision > old + 601,
      });
      await rejects(store.range({ from: 'a', revision: first }), 'compacted');
      const { kvs } = await store.range({ from: 'a', revision: old });
      assert.equal(kvs[0]?.modRevision, old);
      assert.equal(await store.compact(old), 'gone');
    } finally {
      await cluster.close();
    }
  });
});

describe('the quota of a real etcd', { skip }, () => {
  let etcd: TestEtcd;
  let cluster: CareCluster;
  before(async () => {
    // Each write shows in the size at once, as it would not in a batch.
    const quota = [`--quota-backend-bytes=${quotaBytes}`, '--backend-batch-limit=1'];
    etcd = await TestEtcd.start({ extraArguments: quota });
    // Two addresses of one member: what is refused at one must not make the other one suspect.
    cluster = new CareCluster([etcd.url, etcd.url.replace('127.0.0.1', 'localhost')], 'quota');
    cluster.start();
    await waitUntil({
      what: 'the machine is registered and the engine leads',
      read: async () => cluster.registration.isFresh() && cluster.engine.isLeading,
      until: (isSo) => isSo,
    });
  });
  after(async () => {
    await cluster.close();
    await etcd.remove();
  });

  it('is known, and told before it is used up, until there is room again', async () => {
    const { store } = cluster;
    assert.equal((await memberOf(store)).quotaBytes, quotaBytes);
    assert.match((await memberOf(store)).version, /^3\./);
    await fill(store, async () => (await memberOf(store)).sizeBytes > 0.8 * quotaBytes);
    assert.deepEqual(await alarmsOf(store), ['store-quota']);
    await write(store, put('still', 'stored'));
    await makeRoom(etcd, store);
    await waitUntil({ what: 'no alarm is left', read: () => alarmsOf(store), until: ({ length }) => length === 0 });
  });

  it('once used up: reads, leases, deletes go on, what is new is refused; with room again, all goes on by itself', async () => {
    const { engine, registration, store } = cluster;
    const unit = parseUnitName('a.service');
    assert.equal((await cluster.submit(unit)).status, 201);
    cluster.report(unit, 'activating');
    const start = (await store.range({ from: 'a' })).revision;
    const watched = new Recorder(store, { ranges: [{ from: 'watched' }], fromRevision: start });
    await write(store, put('watched'));
    const rowKey = keys.state(unit, machine);
    await waitUntil({
      what: 'the row is there',
      read: () => read(store, { from: rowKey }),
      until: hasActive('activating'),
    });
    const lease = registration.lease?.id;
    cluster.warnings.length = 0;

    await fill(store);
    cluster.report(unit, 'active');
    const refused = await cluster.submit('b.service');
    assert.equal(refused.status, 507);
    assert.match(refused.body, /space quota is used up.*etcdctl defrag.*etcdctl alarm disarm/);
    assert.equal((await cluster.send('DELETE', `/fleet/v1/units/${unit}`)).status, 204);
    const machines = await cluster.get('/fleet/v1/machines');
    assert.deepEqual([machines.status, codesOf(machines)], [200, ['store-no-space']]);
    assert.match(JSON.stringify(machines.body.alarms), /has used up its space quota of 16 MiB/);

    const proxy = await openProxy(etcd);
    const proxied = openStore({ hosts: [proxy.url], prefix: 'quota' });
    for (let at = 0; at < 3; at++) await rejects(write(proxied, put('new')), 'refused');
    assert.deepEqual(await read(proxied, { from: 'new' }), []);
    assert.equal(proxy.accepted, 1, 'a refusal costs no connection');

    // Longer than a lease lives: whoever did not renew it would be gone.
    await time.elapse(2 * ttlSeconds * 1000);
    assert.equal(engine.isLeading, true);
    assert.equal(registration.lease?.id, lease);
    assert.equal(registration.isFresh(), true);
    const readiness = await cluster.get('/readyz');
    assert.deepEqual([readiness.status, codesOf(readiness)], [200, ['store-no-space']]);
    await write(store, remove('watched'));
    await waitUntil({
      what: 'the delete is told',
      read: async () => watched.lines.length,
      until: (count) => count === 2,
    });
    assert.equal(watched.broken, undefined);
    assert.ok((await read(store, { from: rowKey })).every((line) => line.includes('"activating"')));
    const restarted = cluster.register(undefined, lease);
    restarted.start();
    await waitUntil({
      what: 'a restarted fleetd is registered',
      read: async () => restarted.isFresh(),
      until: (isSo) => isSo,
    });
    await restarted.close();
    const failures = cluster.warnings.filter((line) => line.startsWith('pass failed'));
    assert.ok(failures.length > 0 && failures.length < 15, cluster.warnings.join('\n'));
    await waitUntil({
      what: 'the leader says that the store needs care',
      read: async () => cluster.warnings,
      until: (lines) => lines.includes('the store needs care store-no-space'),
    });

    await makeRoom(etcd, store);
    assert.deepEqual(await alarmsOf(store), ['store-no-space'], 'it lasts until an operator ends it');
    await setAlarm(etcd, 'DEACTIVATE', 'NOSPACE');
    assert.deepEqual(await alarmsOf(store), []);
    assert.equal((await cluster.submit('b.service')).status, 201);
    await waitUntil({
      what: 'the row is published',
      read: () => read(store, { from: rowKey }),
      until: hasActive('active'),
    });
    await waitUntil({
      what: 'the plan is committed: one unit leaves, one is placed',
      read: () => read(store, { from: 'schedule/', to: 'schedule0' }),
      until: (lines) => lines.length === 2 && lines.some((line) => line.includes('"isLeaving":true')),
    });
  });

  it('members that differ are told, and only reads go on until the alarm is ended', async () => {
    const { store } = cluster;
    await setAlarm(etcd, 'ACTIVATE', 'CORRUPT');
    assert.deepEqual(await alarmsOf(store), ['store-corrupt']);
    const refused = await cluster.submit('c.service');
    assert.equal(refused.status, 507);
    assert.match(refused.body, /members hold different data/);
    assert.equal((await cluster.send('DELETE', '/fleet/v1/units/b.service')).status, 507);
    assert.equal((await cluster.get('/fleet/v1/units/b.service')).status, 200);
    await setAlarm(etcd, 'DEACTIVATE', 'CORRUPT');
    assert.equal((await cluster.submit('c.service')).status, 201);
    assert.equal(cluster.engine.isLeading, true);
  });
});

describe('with certificates', { skip: skip || (opensslMissing() ?? false) }, () => {
  it('all that can be known is known, with the one that clients have', async () => {
    const certificates = new TestCertificates();
    const path = (file: string) => certificates.path(file);
    const etcd = await TestEtcd.start({
      tls: { ca: path('ca.crt'), cert: path('server.crt'), key: path('server.key') },
      extraArguments: [`--quota-backend-bytes=${quotaBytes}`],
    });
    try {
      const [ca, cert, key] = ['ca.crt', 'client.crt', 'client.key'].map((file) => certificates.read(file));
      assert.ok(ca && cert && key);
      const store = openStore({ hosts: [etcd.url], prefix: 'tls', tls: { ca, cert, key } });
      assert.equal((await memberOf(store)).quotaBytes, quotaBytes);
      assert.deepEqual(await alarmsOf(store), []);
      const stranger = openStore({ hosts: [etcd.url], prefix: 'tls', tls: { ca } });
      assert.equal((await stranger.readHealth()).members[0]?.kind, 'silent');
    } finally {
      await etcd.remove();
      certificates.remove();
    }
  });
});

describe('three members', { skip }, () => {
  it('are each asked: one without its fellows says so, those that are down are named', async () => {
    const members = await TestEtcd.startCluster(3);
    try {
      const store = openStore({ hosts: members.map(({ url }) => url), prefix: 'three' });
      const health = await store.readHealth();
      assert.deepEqual(
        health.members.map(({ kind, address }) => [kind, address]),
        members.map(({ url }) => ['answering', url]),
      );
      assert.equal(typeof health.commitMs, 'number');
      await Promise.all(members.slice(1).map((member) => member.stop()));
      const { members: left } = await waitUntil({
        what: 'the last one has noticed',
        read: () => store.readHealth(),
        until: ({ members: [first] }) => first?.kind === 'answering' && !first.hasLeader,
      });
      assert.deepEqual(
        left.map(({ kind }) => kind),
        ['answering', 'silent', 'silent'],
      );
      assert.deepEqual(await alarmsOf(store), ['store-no-leader']);
    } finally {
      for (const member of members) await member.remove();
    }
  });
});

describe('a slow disk', { skip: skip || (slowDiskMissing() ?? false) }, () => {
  let etcd: TestEtcd;
  before(async () => {
    etcd = await TestEtcd.start();
  });
  after(() => etcd.remove());

  it('is told while it is slow, and only then', async () => {
    const store = openStore({ hosts: [etcd.url], prefix: 'slow-disk' });
    assert.deepEqual(await alarmsOf(store), []);
    const disk = await SlowDisk.of(etcd.pid ?? 0, 300);
    try {
      const health = await store.readHealth();
      assert.ok((health.commitMs ?? 0) > 200, `${health.commitMs} ms`);
      assert.deepEqual(
        storeAlarms(health).map(({ code }) => code),
        ['store-slow-disk'],
      );
    } finally {
      await disk.end();
    }
    await waitUntil({ what: 'no alarm is left', read: () => alarmsOf(store), until: ({ length }) => length === 0 });
  });
});
