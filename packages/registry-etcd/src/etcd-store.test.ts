import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttp2Server } from 'node:http2';
import { createServer } from 'node:net';
import { it } from 'node:test';
import { FatalError } from '@flotilla/errors';
import { StoreError } from '@flotilla/registry';
import { silentLogger, systemClock } from '@flotilla/runtime';
import type { EtcdStoreOptions } from './connection.js';
import { createEtcdStore } from './etcd-store.js';

const common = { prefix: 'test', clock: systemClock, log: silentLogger };
/** Nobody listens on port 1. */
const nowhere = 'http://127.0.0.1:1';

const bad: readonly [string, Partial<EtcdStoreOptions>][] = [
  ['no host', { hosts: [] }],
  ['http and https', { hosts: ['http://a:1', 'https://b:1'] }],
  ['certificates for http', { hosts: ['http://a:1'], tls: { ca: Buffer.from('') } }],
];
for (const [what, options] of bad) {
  it(`refuses ${what}`, () => {
    const create = () => createEtcdStore({ hosts: [nowhere], ...common, ...options });
    assert.throws(create, (error) => error instanceof FatalError && error.code === 'bad-etcd-hosts');
  });
}

it('says that nothing was done where nobody listens', async () => {
  const store = createEtcdStore({ hosts: [nowhere], ...common });
  const calls = [
    () => store.range({ from: 'a' }),
    () => store.transact({ success: [] }),
    () => store.grantLease(5),
    () => store.keepLeaseAlive('1'),
    () => store.revokeLease('1'),
  ];
  for (const call of calls)
    await assert.rejects(call, (error) => error instanceof StoreError && error.kind === 'unavailable');
  await store.close();
});

it('connects to no host that may not be used, and says why', async () => {
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const host = `http://127.0.0.1:${address.port}`;
  const troubles: unknown[] = [];
  const asked = new Set<string>();
  const store = createEtcdStore({
    ...common,
    hosts: [host, nowhere],
    async findObjection(each) {
      asked.add(each);
      return each === host ? 'it belongs to user 7' : undefined;
    },
    onTrouble: (trouble) => troubles.push(trouble),
  });
  for (const call of [
    () => store.range({ from: 'a' }),
    () => store.keepLeaseAlive('1'),
    () => store.transact({ success: [] }),
    () => store.transact({ success: [] }),
  ])
    await assert.rejects(call, (error) => error instanceof StoreError && error.kind === 'unavailable');
  await store.close();
  await new Promise((resolve) => server.close(resolve));
  assert.equal(connections, 0);
  assert.deepEqual([...asked].sort(), [nowhere, host].sort());
  const stranger = troubles.find((trouble) => JSON.stringify(trouble).includes('"stranger"'));
  assert.match(JSON.stringify(stranger), /"why":"cannot reach etcd: it belongs to user 7"/);
});

it('leaves no connection behind where a password gets no answer', { timeout: 10_000 }, async () => {
  const ended: Promise<unknown>[] = [];
  const server = createHttp2Server();
  server.on('session', (session) => ended.push(once(session, 'close')));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const store = createEtcdStore({
    ...common,
    hosts: [`http://127.0.0.1:${address.port}`],
    credentials: { user: 'fleet', password: 'secret' },
    requestTimeoutMs: 200,
  });
  await assert.rejects(store.range({ from: 'a' }), StoreError);
  await store.close();
  assert.ok(ended.length > 0);
  await Promise.all(ended);
  await new Promise((resolve) => server.close(resolve));
});
