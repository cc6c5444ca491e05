import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { describeV1Contract, RawClient } from '@flotilla/api/contract';
import { version } from '@flotilla/errors';
import type { Store } from '@flotilla/registry';
import { createEtcdStore } from '@flotilla/registry-etcd';
import { silentLogger, systemClock } from '@flotilla/runtime';
import { waitUntil } from '../lab/index.js';
import { etcdMissing, TestEtcd } from './etcd.js';
import { FleetdProcess } from './fleetd-process.js';
import { freePorts } from './free-ports.js';

describe('API v1 of the single file over a real etcd', { skip: etcdMissing() ?? false }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'flotilla-v1-'));
  const socket = join(directory, 'fleet.sock');
  let addresses: string[] = [];
  let etcd: TestEtcd;
  let fleetd: FleetdProcess;
  let store: Store;
  before(async () => {
    etcd = await TestEtcd.start();
    const [port] = await freePorts(1);
    addresses = [socket, `127.0.0.1:${port}`];
    fleetd = new FleetdProcess({
      etcd_servers: etcd.url,
      etcd_key_prefix: '/v1/',
      disable_engine: 'true',
      token_limit: '3',
      verbosity: '0',
      listen: `unix://${socket},127.0.0.1:${port}`,
    });
    store = createEtcdStore({
      hosts: [etcd.url],
      prefix: '/v1/',
      requestTimeoutMs: 5_000,
      clock: systemClock,
      log: silentLogger,
    });
    for (const address of addresses) await untilServed(address);
  });
  after(async () => {
    await fleetd.remove();
    await store.close();
    await etcd.remove();
    rmSync(directory, { recursive: true, force: true });
  });

  describeV1Contract(() => ({ addresses, store, server: `fleetd/${version}` }));

  it('says nothing of what clients did wrong', () => assert.deepEqual(fleetd.complaints, []));

  it('answers 503 once etcd is gone', async () => {
    await etcd.stop();
    const answer = await ask(socket, '/fleet/v1/units');
    const body = '{"error":{"code":503,"message":"fleet server unable to communicate with etcd"}}';
    assert.deepEqual([answer?.status, answer?.body], [503, body]);
  });
});

async function untilServed(address: string): Promise<void> {
  await waitUntil({
    what: `${address} serves units`,
    read: async () => (await ask(address, '/fleet/v1/units'))?.status,
    until: (status) => status === 200,
  });
}

async function ask(address: string, path: string) {
  const client = await RawClient.connect(address);
  client.send(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  const answer = await client.next();
  client.close();
  return answer;
}
