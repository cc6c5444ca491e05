import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { parseMachineId } from '@flotilla/cluster';
import { encodeRecord, keys, type Operation, type Store } from '@flotilla/registry';
import { parseUnitName } from '@flotilla/unit';
import { etcdMissing, TestEtcd } from './etcd.js';
import { EtcdHost, launch, untilSo } from './etcd-host.js';
import { compactEtcd } from './gateway.js';
import type { TestProxy } from './proxy.js';
import { openProxy, openStore } from './test-stores.js';

const [web, db, cache] = ['web', 'db', 'cache'].map((name) => parseUnitName(`${name}.service`)) as [
  ReturnType<typeof parseUnitName>,
  ReturnType<typeof parseUnitName>,
  ReturnType<typeof parseUnitName>,
];
const elsewhere = encodeRecord({ machine: parseMachineId('f'.repeat(32)) });

describe('law 2: loss of contact is not an order', { skip: etcdMissing() ?? false }, () => {
  let etcd: TestEtcd;
  let host: EtcdHost;
  let proxy: TestProxy;
  /** A client that nothing befalls. */
  let other: Store;
  let count = 0;
  before(async () => {
    etcd = await TestEtcd.start();
  });
  after(() => etcd.remove());
  afterEach(() => host.close());

  /** Two units run, and nobody decides any more. */
  async function bothRun(): Promise<void> {
    proxy = await openProxy(etcd);
    const prefix = `law-2/${count++}`;
    other = openStore({ hosts: [etcd.url], prefix });
    host = await EtcdHost.start(openStore({ hosts: [proxy.url], prefix }));
    for (const name of [web, db]) await launch(other, name);
    for (const name of [web, db]) await host.untilActive(name);
    await host.dismissEngine();
    host.actions.length = 0;
  }

  /** Lets the store change while the host is cut off, so that its watch can't tell what happened. */
  async function behindItsBack(...change: readonly Operation[]): Promise<void> {
    proxy.cut();
    await other.transact({ success: change });
    const { revision } = await other.transact({ success: [{ kind: 'put', key: 'x', value: new Uint8Array() }] });
    await compactEtcd(etcd.url, revision);
    proxy.heal();
  }

  /** The agent has read everything again and carried out what is new in it. */
  async function untilCaughtUp(): Promise<void> {
    const record = (await other.range({ from: keys.schedule(host.machine.id, db) })).kvs[0];
    const unit = (await other.range({ from: keys.unit(db) })).kvs[0];
    assert.ok(record !== undefined && unit !== undefined);
    const put = (key: string, value: Uint8Array) => ({ kind: 'put', key, value }) as const;
    await other.transact({
      success: [
        put(keys.unit(cache), unit.value),
        put(keys.placement(cache), encodeRecord({ machine: host.machine.id })),
        put(keys.schedule(host.machine.id, cache), record.value),
      ],
    });
    await host.untilActive(cache);
  }

  const stops = () => host.actions.filter((action) => /^(stop|restart|unload) /.test(action));

  it('etcd is gone until the machine counts as lost: its units run on', async () => {
    await bothRun();
    await etcd.stop('SIGKILL');
    await untilSo('the machine counts as lost', () => !host.agent.isReady());
    await etcd.start();
    await untilSo('registered again', () => host.agent.isReady());
    await untilCaughtUp();
    assert.deepEqual(stops(), []);
  });

  it('the watch is broken and nothing has changed: the units run on', async () => {
    await bothRun();
    await behindItsBack();
    await untilCaughtUp();
    assert.deepEqual(stops(), []);
  });

  const stores: Readonly<Record<string, readonly [() => Promise<void>, RegExp]>> = {
    wiped: [() => etcd.replace({ isForeign: false }), /no cluster record|at revision/],
    'of another cluster': [() => etcd.replace({ isForeign: true }), /no cluster record|at revision/],
  };
  for (const [what, [replace, reason]] of Object.entries(stores))
    it(`the store that comes back is ${what}: the machine freezes, and its units run on`, async () => {
      await bothRun();
      await replace();
      await untilSo('frozen', () => host.agent.findFreezeReason() !== undefined);
      assert.match(host.agent.findFreezeReason() ?? '', reason);
      assert.deepEqual(host.actions, []);
      for (const name of [web, db]) assert.ok(await host.isActive(name));
    });

  it('the store that comes back is an older copy of itself: the machine freezes, and its units run on', async () => {
    await bothRun();
    await etcd.backup();
    await untilSo('in contact again', () => host.agent.isReady());
    await untilCaughtUp();
    await etcd.restore();
    await untilSo('frozen', () => host.agent.findFreezeReason() !== undefined);
    assert.match(host.agent.findFreezeReason() ?? '', /at revision \d+/);
    assert.deepEqual(stops(), []);
    for (const name of [web, db, cache]) assert.ok(await host.isActive(name));
  });

  it('the store that comes back says that it is another cluster’s: the machine freezes, and its units run on', async () => {
    await bothRun();
    await behindItsBack(
      { kind: 'put', key: keys.cluster, value: encodeRecord({ uuid: 'another', schema: 1 }) },
      { kind: 'delete', from: 'schedule/', to: 'schedule0' },
      { kind: 'delete', from: 'units/', to: 'units0' },
    );
    await untilSo('frozen', () => host.agent.findFreezeReason()?.includes('another') === true);
    assert.deepEqual(host.actions, []);
  });

  it('its order is missing and its placement names this machine: the unit runs on, and that is said', async () => {
    await bothRun();
    await behindItsBack({ kind: 'delete', from: keys.schedule(host.machine.id, web) });
    await untilSo('it is said', () => host.lines.some((line) => line.startsWith('a unit is placed here')));
    await untilCaughtUp();
    assert.deepEqual(stops(), []);
  });

  it('its order is deleted on an unbroken watch: the unit is stopped, and no other', async () => {
    await bothRun();
    await other.transact({ success: [{ kind: 'delete', from: keys.schedule(host.machine.id, web) }] });
    await host.untilStopped(web);
    assert.ok(await host.isActive(db));
  });

  const orders: Readonly<Record<string, () => Promise<readonly Operation[]>>> = {
    destroyed: async () => [
      { kind: 'delete', from: keys.unit(web) },
      { kind: 'delete', from: keys.placement(web) },
    ],
    'to be inactive': async () => {
      const [kv] = (await other.range({ from: keys.unit(web) })).kvs;
      const record: unknown = JSON.parse(new TextDecoder().decode(kv?.value));
      const value = encodeRecord({ ...(record as object), desiredState: 'inactive' });
      return [{ kind: 'put', key: keys.unit(web), value }];
    },
    'placed elsewhere': async () => [{ kind: 'put', key: keys.placement(web), value: elsewhere }],
  };
  for (const [what, order] of Object.entries(orders))
    it(`the store, read again, has no order for it, and says that it is ${what}: the unit is stopped, and no other`, async () => {
      await bothRun();
      await behindItsBack({ kind: 'delete', from: keys.schedule(host.machine.id, web) }, ...(await order()));
      await host.untilStopped(web);
      assert.ok(await host.isActive(db));
    });
});
