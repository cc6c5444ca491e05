import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { prefixRange } from '@flotilla/registry';
import { put, Recorder, read, rejects, until, write } from '@flotilla/registry/contract';
import { opensslMissing, TestCertificates } from './certificates.js';
import { etcdMissing, TestEtcd } from './etcd.js';
import { EtcdUsers } from './gateway.js';
import { openStore, time } from './test-stores.js';

/** How long a token lives that is not used; etcd looks every second. */
const tokenSeconds = 2;

describe('EtcdStore with a password', { skip: etcdMissing() ?? false }, () => {
  let etcd: TestEtcd;
  before(async () => {
    etcd = await TestEtcd.start({ extraArguments: ['--bcrypt-cost=4', `--auth-token-ttl=${tokenSeconds}`] });
    await EtcdUsers.enable(etcd.url, ['own']);
  });
  after(() => etcd.remove());

  const credentials = { user: 'fleet', password: 'secret' };

  it('works under its own prefix and is refused elsewhere', async () => {
    const own = openStore({ hosts: [etcd.url], prefix: 'own', credentials });
    const start = await write(own, put('a', '1'));
    const seen = new Recorder(own, { ranges: [{ from: 'a' }], fromRevision: start });
    await until(time, 'it is told', () => seen.lines.length === 1);
    const foreign = openStore({ hosts: [etcd.url], prefix: 'foreign', credentials });
    await rejects(foreign.range({ from: 'a' }), 'refused');
    await rejects(write(foreign, put('a')), 'refused');
    const unseen = new Recorder(foreign, { ranges: [{ from: 'a' }], fromRevision: start });
    await until(time, 'it breaks', () => unseen.broken !== undefined);
    assert.equal(unseen.broken, 'refused');
  });

  it('is refused with a wrong password, and without one', async () => {
    const wrong = { user: 'fleet', password: 'guess' };
    await rejects(openStore({ hosts: [etcd.url], prefix: 'own', credentials: wrong }).range({ from: 'a' }), 'refused');
    const without = openStore({ hosts: [etcd.url], prefix: 'own' });
    await rejects(without.range({ from: 'a' }), 'refused');
    await rejects(write(without, put('a')), 'refused');
  });

  it('outlives its token, even if a watch is the first to find it run out', async () => {
    const store = openStore({ hosts: [etcd.url], prefix: 'own', credentials });
    const start = await write(store, put('c/1'));
    const lease = await store.grantLease(60);
    const live = new Recorder(store, { ranges: [prefixRange('c/')], fromRevision: start });
    await until(time, 'it is told', () => live.lines.length === 1);
    await time.elapse((tokenSeconds + 2) * 1000);
    const fresh = new Recorder(store, { ranges: [prefixRange('c/')], fromRevision: start });
    await until(time, 'it is told', () => fresh.lines.length === 1);
    await time.elapse((tokenSeconds + 2) * 1000);
    assert.deepEqual(await store.keepLeaseAlive(lease.id), lease);
    await write(store, put('c/2', '', lease.id));
    await until(time, 'both are told', () => live.lines.length === 2 && fresh.lines.length === 2);
    assert.deepEqual([live.broken, fresh.broken], [undefined, undefined]);
  });

  it('outlives its token: etcd forgets all tokens when it restarts', async () => {
    const [store, late] = [1, 2].map(() => openStore({ hosts: [etcd.url], prefix: 'own', credentials }));
    if (store === undefined || late === undefined) return;
    const start = await write(store, put('b/1'));
    assert.deepEqual(await read(late, { from: 'b/1' }), ['b/1=']);
    const seen = new Recorder(store, { ranges: [prefixRange('b/')], fromRevision: start });
    await until(time, 'it is told', () => seen.lines.length === 1);
    const lease = await store.grantLease(60);
    await etcd.stop();
    await etcd.start();
    const fresh = new Recorder(late, { ranges: [prefixRange('b/')], fromRevision: start });
    assert.deepEqual(await store.keepLeaseAlive(lease.id), lease);
    await write(store, put('b/2', '', lease.id));
    await until(time, 'both are told', () => seen.lines.length === 2 && fresh.lines.length === 2);
    assert.deepEqual(fresh.lines, seen.lines);
  });
});

describe('EtcdStore with certificates', { skip: etcdMissing() ?? opensslMissing() ?? false }, () => {
  let certificates: TestCertificates;
  let etcd: TestEtcd;
  before(async () => {
    certificates = new TestCertificates();
    const path = (file: string) => certificates.path(file);
    etcd = await TestEtcd.start({ tls: { ca: path('ca.crt'), cert: path('server.crt'), key: path('server.key') } });
  });
  after(async () => {
    await etcd?.remove();
    certificates?.remove();
  });

  it('works with a certificate of the authority, and is unavailable without', async () => {
    const ca = certificates.read('ca.crt');
    const tls = { ca, cert: certificates.read('client.crt'), key: certificates.read('client.key') };
    const store = openStore({ hosts: [etcd.url], prefix: 'tls', tls });
    const start = await write(store, put('a', '1'));
    const seen = new Recorder(store, { ranges: [{ from: 'a' }], fromRevision: start });
    await until(time, 'it is told', () => seen.lines.length === 1);
    const lease = await store.grantLease(60);
    assert.deepEqual(await store.keepLeaseAlive(lease.id), lease);
    await rejects(openStore({ hosts: [etcd.url], prefix: 'tls', tls: { ca } }).range({ from: 'a' }), 'unavailable');
    await rejects(openStore({ hosts: [etcd.url], prefix: 'tls' }).range({ from: 'a' }), 'unavailable');
  });
});
