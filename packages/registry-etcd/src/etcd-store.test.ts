import assert from 'node:assert/strict';
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
