import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { prefixRange } from '@flotilla/registry';
import { put, Recorder, read, rejects, until, write, writeMany } from '@flotilla/registry/contract';
import { systemClock } from '@flotilla/runtime';
import { etcdMissing, TestEtcd } from './etcd.js';
import { openProxy, openStore, requestTimeoutMs, time } from './test-stores.js';

const skip = etcdMissing() ?? false;

async function durationMs(work: Promise<unknown>): Promise<number> {
  const startMs = systemClock.monotonicMs();
  await work;
  return systemClock.monotonicMs() - startMs;
}

describe('EtcdStore on an etcd in trouble', { skip }, () => {
  let etcd: TestEtcd;
  before(async () => {
    etcd = await TestEtcd.start();
  });
  after(() => etcd.remove());

  it('a connection that fell silent costs one deadline, not a lease', async () => {
    const proxy = await openProxy(etcd);
    const store = openStore({ hosts: [proxy.url], prefix: 'stall' });
    const lease = await store.grantLease(60);
    assert.deepEqual(await store.keepLeaseAlive(lease.id), lease);
    proxy.stall();
    await rejects(store.keepLeaseAlive(lease.id), 'unavailable');
    assert.deepEqual(await store.keepLeaseAlive(lease.id), lease);
    proxy.stall();
    await rejects(write(store, put('a')), 'uncertain');
    await write(store, put('b'));
    proxy.stall();
    assert.deepEqual(await read(store, { from: 'b' }), ['b=']);
  });

  it('an etcd that hangs costs the deadline, and a watch goes on when it wakes', async () => {
    const store = openStore({ hosts: [etcd.url], prefix: 'hang' });
    const start = await write(store, put('a/0'));
    const lease = await store.grantLease(60);
    const seen = new Recorder(store, { ranges: [prefixRange('a/')], fromRevision: start });
    await until(time, 'it is told', () => seen.lines.length === 1);
    await etcd.freeze();
    try {
      const ms = await durationMs(
        Promise.all([
          rejects(write(store, put('a/1')), 'uncertain'),
          rejects(store.keepLeaseAlive(lease.id), 'unavailable'),
        ]),
      );
      assert.ok(ms < 2 * requestTimeoutMs, `${ms} ms`);
    } finally {
      etcd.signal('SIGCONT');
    }
    const last = await write(store, put('a/2'));
    await until(time, 'it is told', () => seen.revisions.at(-1) === last);
    assert.equal(seen.broken, undefined);
  });

  it('a restart of etcd breaks no watch and ends no lease', async () => {
    const store = openStore({ hosts: [etcd.url], prefix: 'restart' });
    const lease = await store.grantLease(60);
    const start = await write(store, put('b', '', lease.id));
    const seen = new Recorder(store, { ranges: [prefixRange('a/')], fromRevision: start });
    const lines = await writeMany(store, 50);
    await etcd.stop('SIGKILL');
    await rejects(store.range({ from: 'b' }), 'unavailable');
    await rejects(write(store, put('a/x')), 'unavailable', 'uncertain');
    await etcd.start();
    lines.push(...(await writeMany(store, 50)));
    await until(time, 'all is told', () => seen.lines.length >= lines.length);
    assert.deepEqual(seen.lines, lines);
    assert.deepEqual(await store.keepLeaseAlive(lease.id), lease);
    assert.deepEqual(await read(store, { from: 'b' }), ['b=']);
  });

  it('a slow network delays, and loses nothing', async () => {
    const proxy = await openProxy(etcd);
    const store = openStore({ hosts: [proxy.url], prefix: 'slow' });
    const start = await write(store, put('b'));
    proxy.delay(100);
    const seen = new Recorder(store, { ranges: [prefixRange('a/')], fromRevision: start });
    const lines = await writeMany(store, 64);
    await until(time, 'all is told', () => seen.lines.length >= lines.length);
    assert.deepEqual(seen.lines, lines);
  });

  const situations = { healthy: () => etcd.url, 'out of reach': () => 'http://127.0.0.1:1' };
  for (const [situation, url] of Object.entries(situations)) {
    it(`a process with an etcd ${situation} ends by itself once the store is closed`, async () => {
      const child = spawn(process.execPath, ['--input-type=module', '--eval', processText(url())], {
        cwd: import.meta.dirname,
        stdio: ['ignore', 'inherit', 'inherit'],
      });
      const exited = once(child, 'exit');
      const impatience = systemClock.setTimer(patienceMs, () => child.kill('SIGKILL'));
      const [code] = await exited;
      impatience.cancel();
      assert.equal(code, 0);
    });
  }
});

/** A process that does not end by itself never does. */
const patienceMs = 60_000;

/** Uses all that keeps a process alive, then closes the store. */
function processText(url: string): string {
  return `
    import { createEtcdStore } from '@flotilla/registry-etcd';
    import { silentLogger, sleep, systemClock } from '@flotilla/runtime';
    const store = createEtcdStore({
      hosts: ['${url}'], prefix: 'exit', requestTimeoutMs: 500, clock: systemClock, log: silentLogger,
    });
    const ignore = () => {};
    store.watch({ ranges: [{ from: 'a' }], fromRevision: 1 }, { onEvents: ignore, onBroken: ignore });
    const lease = await store.grantLease(5).catch(ignore);
    await store.keepLeaseAlive(lease?.id ?? '1').catch(ignore);
    await sleep(systemClock, 200);
    store.range({ from: 'a' }).catch(ignore);
    store.keepLeaseAlive('1').catch(ignore);
    await store.close();
  `;
}
