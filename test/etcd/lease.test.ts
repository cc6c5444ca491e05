import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { holdLease } from '@flotilla/registry';
import { put, read, until, write } from '@flotilla/registry/contract';
import { silentLogger, systemClock } from '@flotilla/runtime';
import { etcdMissing, TestEtcd } from './etcd.js';
import { openStore, time } from './test-stores.js';

/** The shortest that etcd grants. */
const ttlSeconds = 2;

describe('a lease on a real etcd', { skip: etcdMissing() ?? false }, () => {
  let etcd: TestEtcd;
  before(async () => {
    etcd = await TestEtcd.start();
  });
  after(() => etcd.remove());

  const open = () => openStore({ hosts: [etcd.url], prefix: 'lease' });

  it('is stale at the first look after the event loop was blocked past the fence, and is let go', async () => {
    const store = open();
    const lease = await holdLease({ store, clock: systemClock, log: silentLogger, ttlSeconds });
    await write(store, put('blocked', '', lease.id));
    assert.equal(lease.isFresh(), true);
    block(ttlSeconds * 1000 * 0.85);
    assert.equal(lease.isFresh(), false);
    await until(time, 'it is told', () => lease.lost.aborted);
    let left: string[] = ['blocked='];
    for (let look = 0; look < 100 && left.length > 0; look++) {
      await time.elapse(100);
      left = await read(store, { from: 'blocked' });
    }
    assert.deepEqual(left, [], 'nobody keeps it alive any more');
  });

  it('is found gone by a process that was stopped while it ended', async () => {
    const store = open();
    const child = spawn(process.execPath, ['--input-type=module', '--eval', holderText(etcd.url)], {
      cwd: import.meta.dirname,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines: string[] = [];
    child.stdout.on('data', (chunk) => lines.push(...String(chunk).trim().split('\n')));
    try {
      await until(time, 'it holds a lease', () => lines.length > 0);
      const [kv] = (await store.range({ from: 'stopped' })).kvs;
      assert.ok(kv?.lease !== undefined);
      child.kill('SIGSTOP');
      await store.revokeLease(kv.lease);
      child.kill('SIGCONT');
      // Its fence is far away: only etcd can have told it.
      await until(time, 'it has noticed', () => lines.length > 1);
      assert.deepEqual(lines, ['held', 'lost']);
      assert.deepEqual(await read(store, { from: 'stopped' }), []);
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('is told of a revocation at the next keepalive, once', async () => {
    const store = open();
    const lease = await holdLease({ store, clock: systemClock, log: silentLogger, ttlSeconds });
    let lost = 0;
    lease.lost.addEventListener('abort', () => lost++);
    await open().revokeLease(lease.id);
    await until(time, 'it is told', () => lost > 0);
    assert.deepEqual([lost, lease.isFresh()], [1, false]);
  });
});

/** Stops this thread, timers, sockets and all. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** Holds a lease of 9 s, which it renews every 3 s, and says when it has it and when it has lost it. */
function holderText(url: string): string {
  return `
    import { createEtcdStore } from '@flotilla/registry-etcd';
    import { holdLease } from '@flotilla/registry';
    import { silentLogger as log, systemClock as clock } from '@flotilla/runtime';
    const store = createEtcdStore({ hosts: ['${url}'], prefix: 'lease', clock, log });
    const lease = await holdLease({ store, clock, log, ttlSeconds: 9 });
    await store.transact({ success: [{ kind: 'put', key: 'stopped', value: new Uint8Array(), lease: lease.id }] });
    lease.lost.addEventListener('abort', () => console.log('lost'));
    console.log('held');
  `;
}
