import { afterEach } from 'node:test';
import type { Store } from '@flotilla/registry';
import { createEtcdStore, type EtcdStoreOptions } from '@flotilla/registry-etcd';
import { silentLogger, sleep, systemClock } from '@flotilla/runtime';
import type { TestEtcd } from './etcd.js';
import { TestProxy } from './proxy.js';

/** Short, so that tests of what gets no answer are. */
export const requestTimeoutMs = 1_000;

/** Real time, for `until`. */
export const time = { elapse: (ms: number) => sleep(systemClock, ms) };

const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Opens a store, and closes it when the test is over. */
export function openStore(options: Partial<EtcdStoreOptions> & Pick<EtcdStoreOptions, 'hosts' | 'prefix'>): Store {
  const store = createEtcdStore({ requestTimeoutMs, clock: systemClock, log: silentLogger, ...options });
  closers.push(() => store.close());
  return store;
}

/** Opens a proxy to an etcd, and closes it when the test is over. */
export async function openProxy(etcd: TestEtcd): Promise<TestProxy> {
  const proxy = await TestProxy.start(etcd);
  closers.push(() => proxy.close());
  return proxy;
}
