import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { keys, type Store } from '@flotilla/registry';
import { opensslMissing, TestCertificates } from './certificates.js';
import { etcdMissing, TestEtcd } from './etcd.js';
import { untilSo } from './etcd-host.js';
import { FleetdProcess } from './fleetd-process.js';
import { TestProxy } from './proxy.js';
import { openStore } from './test-stores.js';

const prefix = '/_coreos.com/fleet/';
const files = ['ca.crt', 'server.crt', 'server.key', 'client.crt', 'client.key'];

describe('certificates that are replaced while fleetd runs', {
  skip: etcdMissing() ?? opensslMissing() ?? false,
}, () => {
  const directory = mkdtempSync(join(tmpdir(), 'flotilla-renewal-'));
  const [old, fresh] = [new TestCertificates(), new TestCertificates()];
  old.issue('renewed');
  const at = (file: string) => join(directory, 'current', file);
  let etcd: TestEtcd;
  let proxy: TestProxy;
  let fleetd: FleetdProcess;
  before(async () => {
    swapDirectory(old);
    etcd = await TestEtcd.start({ tls: { ca: at('ca.crt'), cert: at('server.crt'), key: at('server.key') } });
    proxy = await TestProxy.start(etcd);
  });
  afterEach(() => fleetd?.remove());
  after(async () => {
    await proxy?.close();
    await etcd?.remove();
    for (const each of [old, fresh]) each.remove();
    rmSync(directory, { recursive: true });
  });

  /** Replaces all files at once by turning a symbolic link, as Kubernetes does. */
  function swapDirectory(from: TestCertificates): void {
    const version = mkdtempSync(join(directory, 'version-'));
    mkdirSync(version, { recursive: true });
    for (const file of files) copyFileSync(from.path(file), join(version, file));
    symlinkSync(version, join(directory, 'next'));
    renameSync(join(directory, 'next'), join(directory, 'current'));
  }

  /** Replaces one file by renaming, as certbot does. */
  function swapFile(file: string, from: TestCertificates, name = file): void {
    copyFileSync(from.path(name), `${at(file)}.new`);
    renameSync(`${at(file)}.new`, at(file));
  }

  /** A fleetd that leads, by way of the proxy. */
  async function lead(): Promise<void> {
    fleetd = new FleetdProcess({
      etcd_servers: proxy.url.replace('http://127.0.0.1', 'https://localhost'),
      etcd_cafile: at('ca.crt'),
      etcd_certfile: at('client.crt'),
      etcd_keyfile: at('client.key'),
    });
    await fleetd.untilSaid(/Engine leadership acquired/);
  }

  function open(): Store {
    const tls = { ca: fresh.read('ca.crt'), cert: fresh.read('client.crt'), key: fresh.read('client.key') };
    return openStore({ hosts: [etcd.url], prefix, tls });
  }

  const acquired = () => fleetd.lines.filter((line) => line.includes('Engine leadership acquired')).length;

  it('a certificate whose key is not there yet is not taken, and both are as soon as they fit', async () => {
    await lead();
    swapFile('client.crt', old, 'renewed.crt');
    proxy.cut();
    proxy.heal();
    await fleetd.untilSaid(/^WARN new certificates for etcd are not taken.*client.key is not the key/);
    await fleetd.untilSaid(/watch goes on/);
    swapFile('client.key', old, 'renewed.key');
    proxy.cut();
    proxy.heal();
    await fleetd.untilSaid(/^INFO new certificates for etcd are in use/);
    await fleetd.untilSaid(/watch goes on/, 2);
    assert.equal(acquired(), 1, 'it has led all along');
    assert.equal(fleetd.complaints.filter((line) => line.includes('not taken')).length, 1);
  });

  it('of a new authority, on both sides: lease and watch live on, without a restart of fleetd', async () => {
    swapDirectory(old);
    await lead();
    swapDirectory(fresh);
    await etcd.stop();
    await etcd.start();
    const store = open();
    const [before] = (await store.range({ from: keys.leader })).kvs;
    await fleetd.untilSaid(/^INFO new certificates for etcd are in use/);
    await fleetd.untilSaid(/watch goes on/);
    const [now] = (await store.range({ from: keys.leader })).kvs;
    assert.ok(before !== undefined && now?.createRevision === before.createRevision, 'it has led all along');
    assert.equal(acquired(), 1);
    // Both the watch, which tells it, and the lease, which it campaigns with, are those from before.
    await store.transact({ success: [{ kind: 'delete', from: keys.leader }] });
    await untilSo('it leads again', () => acquired() === 2);
    assert.equal((await store.range({ from: keys.leader })).kvs[0]?.lease, before.lease);
  });
});
