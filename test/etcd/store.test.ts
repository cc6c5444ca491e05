import { after, before, describe } from 'node:test';
import { describeStoreContract, type StoreHarness } from '@flotilla/registry/contract';
import { createEtcdStore } from '@flotilla/registry-etcd';
import { silentLogger, sleep, systemClock } from '@flotilla/runtime';

import { etcdMissing, TestEtcd } from './etcd.js';
import { compactEtcd } from './gateway.js';
import { TestProxy } from './proxy.js';

const requestTimeoutMs = 1_000;

let etcd: TestEtcd;
let count = 0;

async function createHarness(): Promise<StoreHarness> {
  const proxy = await TestProxy.start(etcd);
  const prefix = `contract/${count++}`;
  const options = { prefix, requestTimeoutMs, clock: systemClock, log: silentLogger };
  const store = createEtcdStore({ ...options, hosts: [proxy.url] });
  const other = createEtcdStore({ ...options, hosts: [etcd.url] });
  return {
    store,
    other,
    elapse: (ms) => sleep(systemClock, ms),
    faults: {
      cut: async () => proxy.cut(),
      heal: async () => proxy.heal(),
      loseNextReply: async () => proxy.swallowAnswers(),
      compact: (revision) => compactEtcd(etcd.url, revision),
      backup: () => etcd.backup(),
      restore: () => etcd.restore(),
      wipe: () => etcd.replace({ isForeign: false }),
      swap: () => etcd.replace({ isForeign: true }),
    },
    async close() {
      await store.close();
      await other.close();
      await proxy.close();
    },
  };
}

const skip = etcdMissing();
describe('with a real etcd', { skip: skip ?? false }, () => {
  before(async () => {
    etcd = await TestEtcd.start();
  });
  after(() => etcd.remove());
  describeStoreContract('EtcdStore', createHarness);
});
